import { inflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { DataError } from '../../error.js';
import type { ImageInfo } from './image-info.js';

const RGBA = 4;
const OPAQUE = 255;

/**
 * Decodes a PNG or JPEG file to uint8 pixels, HWC with the channels that its header declares.
 *
 * @throws DataError UNREADABLE_IMAGE if it cannot be decoded; UNSUPPORTED_IMAGE if part of it is
 *   transparent
 */
export function decodeImage(bytes: Buffer, info: ImageInfo, file: string): Uint8Array {
  const { data, width, height } = decoded(bytes, info, file);
  if (width !== info.width || height !== info.height) {
    throw new DataError(
      'UNREADABLE_IMAGE',
      `decodes to ${height}x${width}; expected ${info.height}x${info.width} as declared`,
      { file },
    );
  }
  if (info.format === 'png') requireOpaque(data, info, file);
  return withoutAlpha(data, info);
}

interface DecodedImage {
  readonly width: number;
  readonly height: number;
  /** uint8, shape [height, width, 4]. */
  readonly data: Uint8Array;
}

function decoded(bytes: Buffer, info: ImageInfo, file: string): DecodedImage {
  try {
    if (info.format === 'png') {
      if (info.interlaced) boundInterlacedPng(bytes, info);
      return PNG.sync.read(bytes);
    }
    const megapixels = (info.width * info.height) / 1e6;
    return jpeg.decode(bytes, {
      useTArray: true,
      tolerantDecoding: false,
      maxResolutionInMP: megapixels + 1,
      maxMemoryUsageInMB: 64 + 64 * megapixels,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(
      'UNREADABLE_IMAGE',
      `cannot be decoded (${reason})`,
      { file },
      { cause: error },
    );
  }
}

/** The decoder bounds what it inflates, but not for interlaced images: do it here. */
function boundInterlacedPng(bytes: Buffer, info: ImageInfo): void {
  const data: Buffer[] = [];
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') {
      data.push(bytes.subarray(at + 8, at + 8 + length));
    }
    at += 12 + length;
  }
  // At most 4 channels of 2 bytes, and one filter byte for each row of the 7 passes.
  const maxOutputLength = info.height * info.width * 8 + info.height * 7;
  inflateSync(Buffer.concat(data), { maxOutputLength });
}

function requireOpaque(data: Uint8Array, info: ImageInfo, file: string): void {
  for (let pixel = 0; pixel < info.height * info.width; pixel++) {
    if (data[pixel * RGBA + 3] !== OPAQUE) {
      const place = `row ${Math.floor(pixel / info.width)}, column ${pixel % info.width}`;
      throw new DataError('UNSUPPORTED_IMAGE', `is transparent at ${place}; expected opaque`, {
        file,
      });
    }
  }
}

function withoutAlpha(data: Uint8Array, info: ImageInfo): Uint8Array {
  const { channels } = info;
  const pixels = new Uint8Array(info.height * info.width * channels);
  for (let pixel = 0; pixel < info.height * info.width; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      pixels[pixel * channels + channel] = data[pixel * RGBA + channel]!;
    }
  }
  return pixels;
}
