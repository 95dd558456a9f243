import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSetManifest, Shard, SplitName } from '@skipring/protocol';
import { DataError } from '../error.js';
import { recordBytes } from '../samples/geometry.js';
import { SampleSource } from '../samples/sample-source.js';

const READ_BYTES = 2 ** 20;

/**
 * Loads a split of a data set prepared on this machine into memory, each shard verified.
 *
 * @throws DataError SHARD_DAMAGED naming the file
 */
export async function loadSplit(
  directory: string,
  manifest: DataSetManifest,
  split: SplitName,
): Promise<SampleSource> {
  const source = allocateSplit(manifest, split);
  for (const shard of manifest.splits[split].shards) {
    const file = join(directory, shard.file);
    if (!(await readShard(file, shard, bytesOfShard(source, shard)))) {
      throw new DataError('SHARD_DAMAGED', 'does not match its SHA-256 in the manifest', { file });
    }
  }
  requireLabels(source, manifest, split);
  return source;
}

/** Zeroed memory for all records of a split. */
export function allocateSplit(manifest: DataSetManifest, split: SplitName): SampleSource {
  const { height, width, channels } = manifest;
  return SampleSource.allocate({ height, width, channels }, manifest.splits[split].samples);
}

/** The part of the source's memory that holds a shard. */
export function bytesOfShard(source: SampleSource, shard: Shard): Uint8Array {
  const start = shard.firstSample * recordBytes(source.shape);
  return source.bytes.subarray(start, start + shard.bytes);
}

/** Reads a shard's file into `target`; false if it is missing, or its size or SHA-256 is wrong. */
export async function readShard(file: string, shard: Shard, target: Uint8Array): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    if ((await handle.stat()).size !== shard.bytes) return false;
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, shard.bytes));
    for (let at = 0; at < shard.bytes;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, at);
      if (bytesRead === 0) return false;
      const read = piece.subarray(0, bytesRead);
      hash.update(read);
      target.set(read, at);
      at += bytesRead;
    }
    return hash.digest('hex') === shard.sha256;
  } finally {
    await handle.close();
  }
}

/** Throws DataError LABEL_OUT_OF_RANGE if a label is no class of the manifest. */
export function requireLabels(
  source: SampleSource,
  manifest: DataSetManifest,
  split: SplitName,
): void {
  for (let id = 0; id < source.samples; id++) {
    if (source.label(id) >= manifest.classes.length) {
      throw new DataError(
        'LABEL_OUT_OF_RANGE',
        `label of sample ${id} of ${split} is ${source.label(id)}; ` +
          `expected one in [0, ${manifest.classes.length})`,
        { file: manifest.name },
      );
    }
  }
}
