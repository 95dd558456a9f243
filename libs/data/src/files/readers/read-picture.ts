import { open } from 'node:fs/promises';
import { DataError } from '../../error.js';
import { decodeImage } from './decode-image.js';
import { imageInfo } from './image-info.js';

const MAX_FILE_BYTES = 256 * 2 ** 20;
const MAX_PIXELS = 2 ** 26;

/** A decoded image file: uint8 pixels, HWC. */
export interface DecodedPicture {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/**
 * Reads one PNG or JPEG file of any size.
 * @throws DataError UNREADABLE_IMAGE, UNSUPPORTED_IMAGE or TOO_LARGE; errors of the file system
 */
export async function readPicture(file: string): Promise<DecodedPicture> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) {
      throw new DataError('TOO_LARGE', `has ${size} bytes, expected at most ${MAX_FILE_BYTES}`, {
        file,
      });
    }
    const bytes = await handle.readFile();
    const info = imageInfo(bytes);
    if ('problem' in info) throw new DataError('UNREADABLE_IMAGE', info.problem, { file });
    const { height, width, channels } = info;
    if (height * width > MAX_PIXELS) {
      const message = `has ${height} x ${width} pixels, expected at most ${MAX_PIXELS}`;
      throw new DataError('TOO_LARGE', message, { file });
    }
    return { height, width, channels, pixels: decodeImage(bytes, info, file) };
  } finally {
    await handle.close();
  }
}
