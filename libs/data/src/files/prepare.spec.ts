import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSetRegistration } from '@skipring/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idxBytes, idxPixels, TEST, TRAIN, writeIdx } from '../testing/idx-files.js';
import { TemporaryDirectory } from '../testing/temporary-directory.js';
import { loadSplit } from './load-shards.js';
import { readManifest } from './manifest.js';
import { prepareDataSet, type PreparationProgress } from './prepare.js';

describe('prepareDataSet', () => {
  let directory: TemporaryDirectory;
  let idx: DataSetRegistration;
  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
    await writeIdx(directory);
    idx = { name: 'tiny', format: 'idx', path: directory.path };
  });
  afterEach(() => directory.remove());

  const outputs = () => readdir(directory.at('sets'));

  it('writes shards whose records are the samples, and the manifest', async () => {
    const out = directory.at('sets', 'tiny');
    // Two records of 2 + 6 bytes to a shard.
    const manifest = await prepareDataSet(idx, out, { shardBytes: 17 });
    expect(await readManifest(out)).toEqual(manifest);
    expect(manifest.splits.train.shards.map(({ samples }) => samples)).toEqual([2, 2, 1]);
    expect((await readdir(out)).sort()).toEqual([
      'manifest.json',
      'test-00000.bin',
      'train-00000.bin',
      'train-00001.bin',
      'train-00002.bin',
    ]);
    const pixels = idxPixels(TRAIN);
    for (const shard of manifest.splits.train.shards) {
      const bytes = await readFile(join(out, shard.file));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(shard.sha256);
      const records = TRAIN.labels
        .slice(shard.firstSample, shard.firstSample + shard.samples)
        .flatMap((label, i) => {
          const start = (shard.firstSample + i) * 6;
          return [label, 0, ...pixels.subarray(start, start + 6)];
        });
      expect([...bytes]).toEqual(records);
    }
    const test = await loadSplit(out, manifest, 'test');
    expect(test.samples).toBe(2);
    expect(test.record(0)).toEqual({ label: 2, pixels: idxPixels(TEST).subarray(0, 6) });
    expect(await outputs()).toEqual(['tiny']);
  });

  it('takes mean and deviation from the training split alone', async () => {
    const { mean, standardDeviation } = await prepareDataSet(idx, directory.at('sets', 'tiny'));
    const values = [...idxPixels(TRAIN)].map((byte) => byte / 255);
    const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean[0]).toBeCloseTo(expected, 12);
    const variance = values.reduce((sum, v) => sum + (v - expected) ** 2, 0) / values.length;
    expect(standardDeviation[0]).toBeCloseTo(Math.sqrt(variance), 12);
  });

  it('gives glyphs the same manifest every time, and reports its progress', async () => {
    const glyphs: DataSetRegistration = {
      name: 'glyphs',
      format: 'glyphs',
      seed: 3,
      trainSamples: 300,
      testSamples: 100,
    };
    const reports: PreparationProgress[] = [];
    const onProgress = (progress: PreparationProgress) => reports.push(progress);
    const first = await prepareDataSet(glyphs, directory.at('a'), { onProgress });
    expect(await prepareDataSet(glyphs, directory.at('b'))).toEqual(first);
    expect(reports.at(-1)).toEqual({ split: 'test', samples: 400, totalSamples: 400 });
    expect(first).toMatchObject({ height: 32, width: 32, channels: 1 });
    expect(first.splits.train.samples).toBe(300);
  });

  it('leaves nothing behind when the source is bad', async () => {
    await directory.write('train-images-idx3-ubyte', idxBytes(0x803, [5, 3, 2], Buffer.alloc(29)));
    const preparing = prepareDataSet(idx, directory.at('sets', 'tiny'), { shardBytes: 16 });
    await expect(preparing).rejects.toMatchObject({ code: 'TRUNCATED', position: 45 });
    expect(await outputs()).toEqual([]);
  });

  it('leaves nothing behind when it is aborted between chunks', async () => {
    const abort = new AbortController();
    const preparing = prepareDataSet(idx, directory.at('sets', 'tiny'), {
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('cancelled'));
      },
    });
    await expect(preparing).rejects.toThrow('cancelled');
    expect(await outputs()).toEqual([]);
  });

  it('refuses a directory that exists', async () => {
    const out = directory.at('sets', 'tiny');
    const both = await Promise.allSettled([prepareDataSet(idx, out), prepareDataSet(idx, out)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(prepareDataSet(idx, out)).rejects.toMatchObject({ code: 'DATA_SET_EXISTS' });
    expect(await outputs()).toEqual(['tiny']);
  });

  it('removes what an older preparation left when it was killed, not a recent one', async () => {
    const old = directory.at('sets', 'tiny.partial-old');
    await mkdir(old, { recursive: true });
    await utimes(old, 0, 0);
    await mkdir(directory.at('sets', 'tiny.partial-new'));
    await prepareDataSet(idx, directory.at('sets', 'tiny'));
    expect((await outputs()).sort()).toEqual(['tiny', 'tiny.partial-new']);
  });
});
