import { gzipSync } from 'node:zlib';
import type { TemporaryDirectory } from './temporary-directory.js';

/** A file of the IDX format: magic number, dimensions, then bytes. */
export function idxBytes(magic: number, dimensions: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(magic, 0);
  dimensions.forEach((size, index) => header.writeUInt32BE(size, 4 + 4 * index));
  return Buffer.concat([header, data]);
}

export interface IdxSplit {
  readonly labels: readonly number[];
  readonly height: number;
  readonly width: number;
}

/** Pixel i of a file is (i * 7) mod 256, so that each sample differs from its neighbours. */
export function idxPixels(split: IdxSplit): Uint8Array {
  const length = split.labels.length * split.height * split.width;
  return Uint8Array.from({ length }, (_, index) => (index * 7) % 256);
}

export function idxImages(split: IdxSplit): Buffer {
  const dimensions = [split.labels.length, split.height, split.width];
  return idxBytes(0x803, dimensions, idxPixels(split));
}

export function idxLabels(split: IdxSplit): Buffer {
  return idxBytes(0x801, [split.labels.length], Uint8Array.from(split.labels));
}

export const TRAIN: IdxSplit = { labels: [0, 1, 2, 1, 0], height: 3, width: 2 };
export const TEST: IdxSplit = { labels: [2, 0], height: 3, width: 2 };

/** Writes the four files of a good data set of 5 and 2 samples in 3 classes. */
export async function writeIdx(directory: TemporaryDirectory, gzip = false): Promise<void> {
  const pack = (bytes: Buffer) => (gzip ? gzipSync(bytes) : bytes);
  const suffix = gzip ? '.gz' : '';
  await directory.write(`train-images-idx3-ubyte${suffix}`, pack(idxImages(TRAIN)));
  await directory.write(`train-labels-idx1-ubyte${suffix}`, pack(idxLabels(TRAIN)));
  await directory.write(`t10k-images-idx3-ubyte${suffix}`, pack(idxImages(TEST)));
  await directory.write(`t10k-labels-idx1-ubyte${suffix}`, pack(idxLabels(TEST)));
}
