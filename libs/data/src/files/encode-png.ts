import { PNG } from 'pngjs';
import type { ImageShape } from '../samples/geometry.js';

/** A larger image is shown by every n-th of its rows and columns. */
export const MAX_PNG_SIDE = 512;

const GREY = 0;
const RGB = 2;

/**
 * An image as a PNG file, for people to look at.
 *
 * @param pixels uint8, shape [height, width, channels]
 */
export function encodePng(shape: ImageShape, pixels: Uint8Array): Buffer {
  const { height, width, channels } = shape;
  const stride = Math.ceil(Math.max(height, width) / MAX_PNG_SIDE);
  const rows = Math.ceil(height / stride);
  const columns = Math.ceil(width / stride);
  const data = Buffer.alloc(rows * columns * channels);
  let at = 0;
  for (let y = 0; y < height; y += stride) {
    for (let x = 0; x < width; x += stride) {
      const from = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) data[at++] = pixels[from + c] ?? 0;
    }
  }
  const colorType = channels === 1 ? GREY : RGB;
  const png = new PNG({ width: columns, height: rows });
  png.data = data;
  return PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: false });
}
