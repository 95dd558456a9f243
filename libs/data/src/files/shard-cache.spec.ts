import { readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import type { DataSetManifest } from '@skipring/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TemporaryDirectory } from '../testing/temporary-directory.js';
import { loadSplit } from './load-shards.js';
import { manifestHash } from './manifest.js';
import { prepareDataSet } from './prepare.js';
import { ShardCache, type ShardCacheOptions } from './shard-cache.js';
import type { FetchShard } from './shard-download.js';

const ABANDONED = new Date(0);

describe('ShardCache', () => {
  let directory: TemporaryDirectory;
  let manifest: DataSetManifest;
  let hash: string;
  let requests: { file: string; rangeStart: number }[];

  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
    // Ten records of 1026 bytes to a shard: 3 for train, 1 for test.
    manifest = await prepareDataSet(
      { name: 'tiny', format: 'glyphs', seed: 1, trainSamples: 25, testSamples: 10 },
      directory.at('set'),
      { shardBytes: 10_260 },
    );
    hash = manifestHash(manifest);
    requests = [];
  });
  afterEach(() => directory.remove());

  function cache(options: Partial<ShardCacheOptions> = {}): ShardCache {
    return new ShardCache({
      directory: directory.at('cache'),
      limitBytes: 2 ** 20,
      retryDelayMs: 1,
      ...options,
    });
  }

  /** Serves the prepared shards in pieces of 1000 bytes; `spoil` may change or cut them. */
  function serve(
    spoil: (bytes: Buffer, request: number) => AsyncIterable<Uint8Array> = pieces,
  ): FetchShard {
    return async (file, rangeStart) => {
      requests.push({ file, rangeStart });
      const bytes = await readFile(directory.at('set', file));
      return spoil(bytes.subarray(rangeStart), requests.length);
    };
  }

  async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 1000) {
      await Promise.resolve();
      yield bytes.subarray(at, at + 1000);
    }
  }

  const cacheFile = (shard: number) =>
    directory.at('cache', `${manifest.splits.train.shards[shard]!.sha256}.bin`);

  async function expectTrain(opened: Promise<{ bytes: Uint8Array }>): Promise<void> {
    const expected = await loadSplit(directory.at('set'), manifest, 'train');
    expect((await opened).bytes).toEqual(expected.bytes);
  }

  it('fetches each shard once, and then reads its own copy', async () => {
    const loaded: number[] = [];
    const onProgress = (bytes: number) => loaded.push(bytes);
    await expectTrain(cache().openSplit(manifest, hash, 'train', serve(), { onProgress }));
    expect(loaded).toEqual([10_260, 20_520, 25_650]);
    expect(requests.map(({ file }) => file)).toEqual([
      'train-00000.bin',
      'train-00001.bin',
      'train-00002.bin',
    ]);
    await expectTrain(cache().openSplit(manifest, hash, 'train', serve()));
    expect(requests).toHaveLength(3);
  });

  it('takes a web stream as well', async () => {
    const fetchShard: FetchShard = async (file, rangeStart) => {
      const bytes = await readFile(directory.at('set', file));
      return new Blob([bytes.subarray(rangeStart)]).stream();
    };
    await expectTrain(cache().openSplit(manifest, hash, 'train', fetchShard));
  });

  it('fetches again what is damaged or cut short in the cache', async () => {
    await cache().openSplit(manifest, hash, 'train', serve());
    requests = [];
    const damaged = await readFile(cacheFile(0));
    damaged[500]! ^= 1;
    await writeFile(cacheFile(0), damaged);
    await truncate(cacheFile(2), 100);
    await expectTrain(cache().openSplit(manifest, hash, 'train', serve()));
    expect(requests).toEqual([
      { file: 'train-00000.bin', rangeStart: 0 },
      { file: 'train-00002.bin', rangeStart: 0 },
    ]);
  });

  it('goes on where a download broke off', async () => {
    const breaking = serve(async function* (bytes, request) {
      for await (const piece of pieces(bytes)) {
        yield piece;
        if (request === 1) throw new Error('connection reset');
      }
    });
    await expectTrain(cache().openSplit(manifest, hash, 'train', breaking));
    expect(requests.slice(0, 2)).toEqual([
      { file: 'train-00000.bin', rangeStart: 0 },
      { file: 'train-00000.bin', rangeStart: 1000 },
    ]);
  });

  it('goes on where an abandoned process stopped, and leaves a live one alone', async () => {
    const { sha256 } = manifest.splits.train.shards[0]!;
    const bytes = await readFile(directory.at('set', 'train-00000.bin'));
    const name = (owner: string) => `cache/${sha256}.${owner}.partial`;
    const abandoned = await directory.write(name('dead'), bytes.subarray(0, 4000));
    await utimes(abandoned, ABANDONED, ABANDONED);
    const live = await directory.write(name('live'), bytes.subarray(0, 2000));
    await expectTrain(cache().openSplit(manifest, hash, 'train', serve()));
    expect(requests[0]).toEqual({ file: 'train-00000.bin', rangeStart: 4000 });
    expect((await stat(live)).size).toBe(2000);
  });

  it('starts over where what it had was wrong', async () => {
    const { sha256 } = manifest.splits.train.shards[0]!;
    for (const size of [4000, 20_000]) {
      const partial = await directory.write(`cache/${sha256}.dead.partial`, Buffer.alloc(size, 7));
      await utimes(partial, ABANDONED, ABANDONED);
      await expectTrain(cache().openSplit(manifest, hash, 'train', serve()));
      await writeFile(cacheFile(0), '');
    }
    expect(requests[0]?.rangeStart).toBe(4000);
    expect(requests[1]?.rangeStart).toBe(0);
  });

  it('gives up on a source that is itself damaged', async () => {
    const spoiled = serve(async function* (bytes) {
      yield* pieces(Buffer.concat([bytes.subarray(0, -1), Buffer.of(~bytes.at(-1)! & 0xff)]));
    });
    const opening = cache({ attempts: 3 }).openSplit(manifest, hash, 'train', spoiled);
    await expect(opening).rejects.toMatchObject({ code: 'SHARD_DAMAGED', file: 'train-00000.bin' });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['sends too little', (bytes: Buffer) => pieces(bytes.subarray(0, -1)), 'SHARD_FETCH_FAILED'],
    [
      'sends too much',
      (bytes: Buffer) => pieces(Buffer.concat([bytes, Buffer.alloc(5)])),
      'SHARD_FETCH_FAILED',
    ],
    [
      'falls silent',
      async function* (bytes: Buffer) {
        yield bytes.subarray(0, 10);
        await new Promise(() => undefined);
      },
      'SHARD_FETCH_TIMEOUT',
    ],
  ])('gives up on a source that %s', async (_, spoil, code) => {
    const impatient = cache({ attempts: 1, idleTimeoutMs: 30 });
    const opening = impatient.openSplit(manifest, hash, 'train', serve(spoil));
    await expect(opening).rejects.toMatchObject({ code });
  });

  it('reports a source that refuses, with its reason', async () => {
    const refusing: FetchShard = () => Promise.reject(new Error('503'));
    const opening = cache({ attempts: 2 }).openSplit(manifest, hash, 'train', refusing);
    await expect(opening).rejects.toMatchObject({
      code: 'SHARD_FETCH_FAILED',
      message: 'train-00000.bin: gave up after 2 tries: 503',
    });
  });

  it('stops at an abort, also while it waits', async () => {
    const abort = new AbortController();
    const hanging = serve(async function* (bytes) {
      yield bytes.subarray(0, 10);
      abort.abort(new Error('cancelled'));
      await new Promise(() => undefined);
    });
    const { signal } = abort;
    const opening = cache().openSplit(manifest, hash, 'train', hanging, { signal });
    await expect(opening).rejects.toThrow('cancelled');
    expect(requests).toHaveLength(1);
  });

  it('refuses a manifest that is not the one named, and labels that are no class', async () => {
    const other = { ...manifest, classes: [...manifest.classes, 'more'] };
    await expect(cache().openSplit(other, hash, 'train', serve())).rejects.toMatchObject({
      code: 'MANIFEST_HASH_MISMATCH',
    });
    const fewer = { ...manifest, classes: manifest.classes.slice(0, 5) };
    const opening = cache().openSplit(fewer, manifestHash(fewer), 'train', serve());
    await expect(opening).rejects.toMatchObject({ code: 'LABEL_OUT_OF_RANGE' });
  });

  it('drops the least recently used files above its limit', async () => {
    await cache().openSplit(manifest, hash, 'train', serve());
    await utimes(cacheFile(1), 1000, 1000);
    await utimes(cacheFile(0), 2000, 2000);
    await cache({ limitBytes: 26_000 }).openSplit(manifest, hash, 'test', serve());
    const { sha256 } = manifest.splits.test.shards[0]!;
    const kept = [`${sha256}.bin`, `${manifest.splits.train.shards[2]!.sha256}.bin`];
    expect((await readdir(directory.at('cache'))).sort()).toEqual(
      [...kept, `${manifest.splits.train.shards[0]!.sha256}.bin`].sort(),
    );
  });
});
