import type { PhiloxStream, SplitName } from '@skipring/protocol';
import { between, openStream, StreamKind } from '../random.js';
import { drawGlyph, drawSegment, GLYPH_SIZE, placement } from './render.js';
import { GLYPHS, type Glyph, type Point } from './strokes.js';

const PIXELS = GLYPH_SIZE * GLYPH_SIZE;
const CENTRE = (GLYPH_SIZE - 1) / 2;

/** How far samples of a class differ; tuned so that a linear classifier fails and a ResNet does not. */
const VARIATION = {
  /** Largest shift from the centre, in pixels. */
  shift: 5,
  /** tan(angle / 2) of the largest rotation: about 23 degrees. */
  tanHalfAngle: 0.2,
  /** Pixels per unit of glyph space. */
  scale: [0.75, 1.3],
  shear: 0.2,
  /** Half the pen's width, in pixels. */
  radius: [0.9, 1.8],
  /** Difference of ink and ground, of a range of 1; its sign is drawn too. */
  contrast: [0.3, 0.8],
  /** Largest change of the ground from edge to edge. */
  slope: 0.25,
  /** Largest side of an occluding rectangle, in pixels. */
  occluder: 7,
  /** Half the width of the noise's triangular distribution. */
  noise: 0.16,
} as const;

/**
 * Draws sample `index` of a split: a glyph at a random position, size, slant, pen width and
 * contrast, dark on light or light on dark, before an uneven ground, crossed by a stray line,
 * partly covered by a rectangle, with noise. Classes take turns. A pure function of its arguments
 * whose bytes are the same on every machine: all of it is integer arithmetic and +, -, *, / on
 * doubles, whose bits IEEE 754 defines.
 *
 * @param pixels receives uint8, shape [32, 32]
 * @returns the label
 */
export function glyphSample(
  seed: number,
  split: SplitName,
  index: number,
  pixels: Uint8Array,
): number {
  const label = index % GLYPHS.length;
  const kind = split === 'train' ? StreamKind.glyphsTrain : StreamKind.glyphsTest;
  const stream = openStream(kind, seed, index);
  const ink = new Float64Array(PIXELS);
  inkGlyph(GLYPHS[label]!, stream, ink);
  inkStrayLine(stream, ink);
  const image = shade(ink, stream);
  occlude(image, stream);
  quantise(image, stream, pixels);
  return label;
}

function inkGlyph(glyph: Glyph, stream: PhiloxStream, ink: Float64Array): void {
  const { tanHalfAngle, scale, shear, shift, radius } = VARIATION;
  const size = between(stream, scale[0], scale[1]);
  const aspect = between(stream, 0.85, 1.15);
  const centre: Point = [
    CENTRE + between(stream, -shift, shift),
    CENTRE + between(stream, -shift, shift),
  ];
  const place = placement(
    between(stream, -tanHalfAngle, tanHalfAngle),
    size * aspect,
    size / aspect,
    between(stream, -shear, shear),
    centre,
  );
  drawGlyph(glyph, place, between(stream, radius[0], radius[1]), ink);
}

/** A thin line from somewhere to somewhere, a third of the image long at most. */
function inkStrayLine(stream: PhiloxStream, ink: Float64Array): void {
  const edge = GLYPH_SIZE - 1;
  const from: Point = [between(stream, 0, edge), between(stream, 0, edge)];
  const reach = GLYPH_SIZE / 3;
  const to: Point = [
    from[0] + between(stream, -reach, reach),
    from[1] + between(stream, -reach, reach),
  ];
  drawSegment(from, to, VARIATION.radius[0], ink);
}

/** Ink and ground to brightness, about [0, 1]. */
function shade(ink: Float64Array, stream: PhiloxStream): Float64Array {
  const { contrast, slope } = VARIATION;
  const difference = between(stream, contrast[0], contrast[1]);
  const ground = between(stream, 0.05, 0.95 - difference);
  const inverted = stream.nextBelow(2) === 1;
  const slopeX = between(stream, -slope, slope) / GLYPH_SIZE;
  const slopeY = between(stream, -slope, slope) / GLYPH_SIZE;
  return ink.map((coverage, index) => {
    const x = (index % GLYPH_SIZE) - CENTRE;
    const y = Math.floor(index / GLYPH_SIZE) - CENTRE;
    const share = inverted ? 1 - coverage : coverage;
    return ground + difference * share + slopeX * x + slopeY * y;
  });
}

/** Covers a rectangle with an even brightness. */
function occlude(image: Float64Array, stream: PhiloxStream): void {
  const width = 2 + stream.nextBelow(VARIATION.occluder - 1);
  const height = 2 + stream.nextBelow(VARIATION.occluder - 1);
  const left = stream.nextBelow(GLYPH_SIZE - width + 1);
  const top = stream.nextBelow(GLYPH_SIZE - height + 1);
  const brightness = between(stream, 0.1, 0.9);
  for (let y = top; y < top + height; y++) {
    image.fill(brightness, y * GLYPH_SIZE + left, y * GLYPH_SIZE + left + width);
  }
}

function quantise(image: Float64Array, stream: PhiloxStream, pixels: Uint8Array): void {
  for (let index = 0; index < PIXELS; index++) {
    const noise = (stream.nextFloat() - stream.nextFloat()) * VARIATION.noise;
    const byte = Math.floor((image[index]! + noise) * 255 + 0.5);
    pixels[index] = Math.min(255, Math.max(0, byte));
  }
}
