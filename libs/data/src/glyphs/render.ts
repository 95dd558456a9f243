import type { Glyph, Point } from './strokes.js';

/** Side of a glyph image in pixels. */
export const GLYPH_SIZE = 32;

/** Affine map from glyph space to pixels: x' = xx * x + xy * y + x0, likewise y'. */
export interface Placement {
  readonly xx: number;
  readonly xy: number;
  readonly yx: number;
  readonly yy: number;
  readonly x0: number;
  readonly y0: number;
}

/**
 * Rotation, scale and shear about a centre. The rotation is given by t = tan(angle / 2), so that
 * sine and cosine are rational, (1 - t^2) / (1 + t^2) and 2t / (1 + t^2): IEEE 754 defines the bits
 * of every operation used, where those of Math.sin and Math.cos are left to the implementation.
 */
export function placement(
  tanHalfAngle: number,
  scaleX: number,
  scaleY: number,
  shear: number,
  centre: Point,
): Placement {
  const t = tanHalfAngle;
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  return {
    xx: cosine * scaleX,
    xy: (cosine * shear - sine) * scaleY,
    yx: sine * scaleX,
    yy: (sine * shear + cosine) * scaleY,
    x0: centre[0],
    y0: centre[1],
  };
}

/**
 * Adds the pen's coverage of each pixel to `ink`, keeping the larger value.
 *
 * @param radius half the pen's width, in pixels
 * @param ink shape [32, 32], coverage in [0, 1]
 */
export function drawGlyph(glyph: Glyph, place: Placement, radius: number, ink: Float64Array): void {
  for (const polyline of glyph.polylines) {
    const points = polyline.map((point) => moved(point, place));
    for (let index = 1; index < points.length; index++) {
      drawSegment(points[index - 1]!, points[index]!, radius, ink);
    }
  }
}

function moved([x, y]: Point, place: Placement): Point {
  return [place.xx * x + place.xy * y + place.x0, place.yx * x + place.yy * y + place.y0];
}

/** Draws a line from `a` to `b` with round ends; coverage falls from 1 to 0 over about a pixel. */
export function drawSegment(a: Point, b: Point, radius: number, ink: Float64Array): void {
  const reach = radius + 1;
  const [firstColumn, lastColumn] = span(a[0], b[0], reach);
  const [firstRow, lastRow] = span(a[1], b[1], reach);
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const lengthSquared = dx * dx + dy * dy;
  for (let y = firstRow; y <= lastRow; y++) {
    for (let x = firstColumn; x <= lastColumn; x++) {
      const px = x - a[0];
      const py = y - a[1];
      const along = lengthSquared === 0 ? 0 : (px * dx + py * dy) / lengthSquared;
      const t = Math.min(1, Math.max(0, along));
      const ex = px - t * dx;
      const ey = py - t * dy;
      // d - radius, linearised at d = radius so that no square root is needed.
      const outside = (ex * ex + ey * ey - radius * radius) / (2 * radius);
      const coverage = Math.min(1, Math.max(0, 0.5 - outside));
      const index = y * GLYPH_SIZE + x;
      ink[index] = Math.max(ink[index] ?? 0, coverage);
    }
  }
}

/** Pixels that a stroke between two coordinates can touch, cut to the image. */
function span(a: number, b: number, reach: number): [number, number] {
  return [
    Math.max(0, Math.ceil(Math.min(a, b) - reach)),
    Math.min(GLYPH_SIZE - 1, Math.floor(Math.max(a, b) + reach)),
  ];
}
