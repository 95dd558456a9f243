import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SIDE = 8;

/** The four files of a data set in MNIST's format, by name. */
export type IdxFiles = Readonly<
  Record<`${'train' | 't10k'}-${'images-idx3' | 'labels-idx1'}-ubyte`, Buffer>
>;

/** Ten training and four test images of 8 x 8 pixels in two classes. */
export function idxFiles(): IdxFiles {
  return {
    'train-images-idx3-ubyte': images(10),
    'train-labels-idx1-ubyte': labels(10),
    't10k-images-idx3-ubyte': images(4),
    't10k-labels-idx1-ubyte': labels(4),
  };
}

export async function writeIdx(directory: string, files: IdxFiles): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
}

function images(count: number): Buffer {
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, index) => (index * 7) % 256);
  return Buffer.concat([header(0x803, count, SIDE, SIDE), pixels]);
}

function labels(count: number): Buffer {
  return Buffer.concat([
    header(0x801, count),
    Uint8Array.from({ length: count }, (_, index) => index % 2),
  ]);
}

function header(...words: number[]): Buffer {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => bytes.writeUInt32BE(word, 4 * index));
  return bytes;
}
