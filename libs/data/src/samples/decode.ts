import type { ImageShape } from './geometry.js';

/** How one sample is cropped and mirrored. */
export interface Transform {
  /** First source row and column of the crop; negative ones lie in the zero padding. */
  readonly top: number;
  readonly left: number;
  /** Mirror left to right, after the crop. */
  readonly flip: boolean;
}

export const IDENTITY: Transform = { top: 0, left: 0, flip: false };

/**
 * Crops, mirrors and normalises one image. Pixels outside the source count as byte 0 (black) and
 * are normalised like any other, as torchvision's RandomCrop before Normalize does.
 *
 * @param source uint8 pixels, HWC from `sourceOffset`
 * @param table from `normalisationTable`
 * @param target float32, shape [height, width, channels] from `targetOffset`
 */
export function decodeInto(
  source: Uint8Array,
  sourceOffset: number,
  shape: ImageShape,
  table: Float32Array,
  transform: Transform,
  target: Float32Array,
  targetOffset: number,
): void {
  const { height, width, channels } = shape;
  const { top, left, flip } = transform;
  const rowLength = width * channels;
  let out = targetOffset;
  for (let y = 0; y < height; y++) {
    const sourceRow = y + top;
    const rowStart = sourceOffset + sourceRow * rowLength;
    const rowInside = sourceRow >= 0 && sourceRow < height;
    for (let x = 0; x < width; x++) {
      const column = (flip ? width - 1 - x : x) + left;
      const inside = rowInside && column >= 0 && column < width;
      const pixel = rowStart + column * channels;
      for (let channel = 0; channel < channels; channel++) {
        const byte = inside ? source[pixel + channel]! : 0;
        target[out++] = table[channel * 256 + byte]!;
      }
    }
  }
}
