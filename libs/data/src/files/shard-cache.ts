import { setTimeout as delay } from 'node:timers/promises';
import type { DataSetManifest, Shard, SplitName } from '@skipring/protocol';
import { DataError } from '../error.js';
import type { SampleSource } from '../samples/sample-source.js';
import { CacheDirectory } from './cache-directory.js';
import { allocateSplit, bytesOfShard, readShard, requireLabels } from './load-shards.js';
import { manifestHash, parseManifest } from './manifest.js';
import { resumeDownload, type FetchShard } from './shard-download.js';

const DEFAULT_ATTEMPTS = 5;
const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_RETRY_DELAY_MS = 250;

export interface ShardCacheOptions {
  readonly directory: string;
  /** Most that the directory holds after a split has been opened. */
  readonly limitBytes: number;
  /** Tries per shard; each goes on where the one before it broke off. */
  readonly attempts?: number;
  /** Longest wait for each piece of a download. */
  readonly idleTimeoutMs?: number;
  /** Wait before the second try; doubles with each. */
  readonly retryDelayMs?: number;
}

export interface OpenSplitOptions {
  readonly signal?: AbortSignal;
  /** Bytes of the split that are in memory. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** A worker's cache of shards, by their SHA-256, on disk; several processes may share it. */
export class ShardCache {
  private readonly directory: CacheDirectory;

  constructor(private readonly options: ShardCacheOptions) {
    this.directory = new CacheDirectory(options.directory, options.limitBytes);
  }

  /**
   * Brings a split into memory: each shard from the cache or else fetched, and verified either way.
   * A damaged file in the cache is fetched again.
   *
   * @param hash the manifest's hash as the job names it
   * @throws DataError MANIFEST_HASH_MISMATCH, SHARD_FETCH_FAILED, SHARD_FETCH_TIMEOUT,
   *   SHARD_DAMAGED (the source itself is), LABEL_OUT_OF_RANGE
   */
  async openSplit(
    manifest: DataSetManifest,
    hash: string,
    split: SplitName,
    fetchShard: FetchShard,
    options: OpenSplitOptions = {},
  ): Promise<SampleSource> {
    const actual = manifestHash(parseManifest(manifest));
    if (actual !== hash) {
      throw new DataError('MANIFEST_HASH_MISMATCH', `hash is ${actual}; expected ${hash}`, {
        file: manifest.name,
      });
    }
    const source = allocateSplit(manifest, split);
    let loadedBytes = 0;
    for (const shard of manifest.splits[split].shards) {
      options.signal?.throwIfAborted();
      await this.load(shard, bytesOfShard(source, shard), fetchShard, options.signal);
      loadedBytes += shard.bytes;
      options.onProgress?.(loadedBytes, source.bytes.length);
    }
    requireLabels(source, manifest, split);
    await this.directory.evict();
    return source;
  }

  private async load(
    shard: Shard,
    target: Uint8Array,
    fetchShard: FetchShard,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const cached = this.directory.completePath(shard.sha256);
    if (await readShard(cached, shard, target)) {
      await this.directory.markUsed(shard.sha256);
      return;
    }
    const partial = await this.directory.claimPartial(shard.sha256);
    try {
      await this.fetch(partial, shard, target, fetchShard, signal);
    } catch (error) {
      await this.directory.release(partial);
      throw error;
    }
    await this.directory.complete(partial, shard.sha256);
  }

  /** Tries until the download is complete and its hash right; bounded in number. */
  private async fetch(
    partial: string,
    shard: Shard,
    target: Uint8Array,
    fetchShard: FetchShard,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const attempts = this.options.attempts ?? DEFAULT_ATTEMPTS;
    const idleTimeoutMs = this.options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    let failure: unknown;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const pauseMs = (this.options.retryDelayMs ?? DEFAULT_RETRY_DELAY_MS) * 2 ** (attempt - 1);
      if (attempt > 0) await delay(pauseMs, undefined, signal && { signal });
      try {
        await resumeDownload(partial, shard, { fetchShard, idleTimeoutMs, signal });
        if (await readShard(partial, shard, target)) return;
        failure = new DataError('SHARD_DAMAGED', 'does not match its SHA-256 in the manifest', {
          file: shard.file,
        });
        await this.directory.remove(partial);
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
    }
    throw failedAfter(attempts, shard, failure);
  }
}

function failedAfter(attempts: number, shard: Shard, cause: unknown): DataError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataError(
    cause instanceof DataError ? cause.code : 'SHARD_FETCH_FAILED',
    `gave up after ${attempts} tries: ${reason}`,
    { file: shard.file },
    { cause },
  );
}
