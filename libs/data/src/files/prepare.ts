import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DataSetManifest, DataSetRegistration, SplitName } from '@skipring/protocol';
import { DataError } from '../error.js';
import { pixelBytes } from '../samples/geometry.js';
import { DEFAULT_LIMITS, type ReadLimits } from './limits.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';
import { openSource } from './open-source.js';
import { PixelStatistics } from './pixel-statistics.js';
import { ShardWriter } from './shard-writer.js';
import type { DataSource } from './source.js';

/** A partial directory older than this belongs to no preparation that still runs. */
const STALE_PARTIAL_MS = 24 * 3_600_000;

export interface PreparationProgress {
  readonly split: SplitName;
  /** Samples written so far, of both splits. */
  readonly samples: number;
  readonly totalSamples: number;
}

export interface PrepareOptions {
  readonly onProgress?: (progress: PreparationProgress) => void;
  /** Aborting it ends the preparation with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal;
  readonly limits?: ReadLimits;
  /** Approximate size of a shard in bytes. */
  readonly shardBytes?: number;
}

/**
 * Converts a registered data set to shards and a manifest in `outDir`, which must not exist yet.
 * The directory appears whole or not at all: files are written and synced in a temporary sibling,
 * the manifest last, and the sibling is renamed.
 *
 * @throws DataError for what is wrong with the source; DATA_SET_EXISTS if `outDir` exists
 */
export async function prepareDataSet(
  registration: DataSetRegistration,
  outDir: string,
  options: PrepareOptions = {},
): Promise<DataSetManifest> {
  await requireAbsent(outDir);
  const source = await openSource(registration, options.limits ?? DEFAULT_LIMITS);
  options.signal?.throwIfAborted();
  await mkdir(dirname(outDir), { recursive: true });
  await removeStalePartials(outDir);
  const partial = `${outDir}.partial-${randomBytes(6).toString('hex')}`;
  await mkdir(partial);
  try {
    const manifest = await writeShards(registration.name, source, partial, options);
    await writeSynced(join(partial, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await syncDirectory(partial);
    await publish(partial, outDir);
    await syncDirectory(dirname(outDir));
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function writeShards(
  name: string,
  source: DataSource,
  directory: string,
  options: PrepareOptions,
): Promise<DataSetManifest> {
  const { height, width, channels, classes } = source;
  const statistics = new PixelStatistics(channels);
  const writeSplit = async (split: SplitName, samplesBefore: number): Promise<ShardWriter> => {
    const writer = new ShardWriter(directory, split, pixelBytes(source), options.shardBytes);
    const totalSamples = source.splits.train.samples + source.splits.test.samples;
    try {
      for await (const chunk of source.splits[split].read(options.signal)) {
        if (split === 'train') statistics.add(chunk.pixels);
        await writer.write(chunk);
        options.onProgress?.({ split, samples: samplesBefore + writer.samples, totalSamples });
      }
      await writer.finish();
    } finally {
      await writer.abort();
    }
    return writer;
  };
  const train = await writeSplit('train', 0);
  const test = await writeSplit('test', train.samples);
  return parseManifest({
    formatVersion: 1,
    name,
    height,
    width,
    channels,
    classes,
    ...statistics.result(),
    splits: {
      train: { samples: train.samples, shards: train.shards },
      test: { samples: test.samples, shards: test.shards },
    },
  });
}

async function publish(partial: string, outDir: string): Promise<void> {
  try {
    await rename(partial, outDir);
  } catch (error) {
    // Another preparation of the same data set was faster.
    await requireAbsent(outDir);
    throw error;
  }
}

async function requireAbsent(directory: string): Promise<void> {
  const present = await stat(directory).then(
    () => true,
    () => false,
  );
  if (present) throw new DataError('DATA_SET_EXISTS', 'exists already', { file: directory });
}

async function removeStalePartials(outDir: string): Promise<void> {
  const parent = dirname(outDir);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(outDir)}.partial-`)) continue;
    const found = await stat(join(parent, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_PARTIAL_MS) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
