import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSetManifest, Shard, SplitName } from '@skipring/protocol';
import { DataError } from '../error.js';
import { LABEL_BYTES, pixelBytes, recordBytes } from '../samples/geometry.js';

/** Records are read together as far as they fit in this. */
const READ_BYTES = 2 ** 20;

/**
 * Labels of all samples of a split, in their stored order. Reads the shards a piece at a time; of
 * large records the labels alone.
 *
 * @returns shape [samples]
 * @throws DataError SHARD_DAMAGED naming a file that is missing or too short
 */
export async function readLabels(
  directory: string,
  manifest: DataSetManifest,
  split: SplitName,
): Promise<Uint16Array> {
  const { samples, shards } = manifest.splits[split];
  const labels = new Uint16Array(samples);
  const size = recordBytes(manifest);
  const together = Math.max(1, Math.floor(READ_BYTES / size));
  const piece = Buffer.allocUnsafe(together === 1 ? LABEL_BYTES : together * size);
  for (const shard of shards) {
    await withShard(directory, shard, async (handle, file) => {
      for (let first = 0; first < shard.samples; first += together) {
        const count = Math.min(together, shard.samples - first);
        const wanted = piece.subarray(0, together === 1 ? LABEL_BYTES : count * size);
        await readExactly(handle, wanted, first * size, file);
        for (let i = 0; i < count; i++) {
          labels[shard.firstSample + first + i] = wanted.readUInt16LE(i * size);
        }
      }
    });
  }
  return labels;
}

/**
 * One sample's pixels, uint8, shape [height, width, channels].
 *
 * @throws DataError INVALID_ARGUMENT if the split has no such sample, SHARD_DAMAGED naming the file
 */
export async function readPixels(
  directory: string,
  manifest: DataSetManifest,
  split: SplitName,
  sample: number,
): Promise<Uint8Array> {
  const shard = manifest.splits[split].shards.find(
    ({ firstSample, samples }) => sample >= firstSample && sample < firstSample + samples,
  );
  if (shard === undefined) {
    const { samples } = manifest.splits[split];
    const message = `sample is ${sample}; expected one in [0, ${samples})`;
    throw new DataError('INVALID_ARGUMENT', message);
  }
  const pixels = Buffer.alloc(pixelBytes(manifest));
  await withShard(directory, shard, (handle, file) => {
    const at = (sample - shard.firstSample) * recordBytes(manifest) + LABEL_BYTES;
    return readExactly(handle, pixels, at, file);
  });
  return pixels;
}

async function withShard(
  directory: string,
  shard: Shard,
  read: (handle: FileHandle, file: string) => Promise<void>,
): Promise<void> {
  const file = join(directory, shard.file);
  const handle = await open(file).catch((cause: unknown) => {
    throw new DataError('SHARD_DAMAGED', 'cannot be opened', { file }, { cause });
  });
  try {
    await read(handle, file);
  } finally {
    await handle.close();
  }
}

async function readExactly(
  handle: FileHandle,
  target: Buffer,
  at: number,
  file: string,
): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await handle.read(target, done, target.length - done, at + done);
    if (bytesRead === 0) throw new DataError('SHARD_DAMAGED', 'is too short', { file });
    done += bytesRead;
  }
}
