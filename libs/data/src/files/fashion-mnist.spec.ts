import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSetManifest } from '@skipring/protocol';
import { TemporaryDirectory } from '../testing/temporary-directory.js';
import { loadSplit } from './load-shards.js';
import { prepareDataSet } from './prepare.js';

const source = process.env.SKIPRING_TEST_FASHION_MNIST;
if (source === undefined) {
  console.warn('Fashion-MNIST tests are skipped: SKIPRING_TEST_FASHION_MNIST names no directory');
}

describe.skipIf(source === undefined)('Fashion-MNIST', () => {
  let directory: TemporaryDirectory;
  let manifest: DataSetManifest;
  beforeAll(async () => {
    directory = await TemporaryDirectory.create();
    const registration = { name: 'fashion-mnist', format: 'idx', path: source ?? '' } as const;
    manifest = await prepareDataSet(registration, directory.at('set'));
  });
  afterAll(() => directory.remove());

  it('has its published counts, names and statistics', () => {
    expect(manifest).toMatchObject({ height: 28, width: 28, channels: 1 });
    expect(manifest.splits.train.samples).toBe(60_000);
    expect(manifest.splits.test.samples).toBe(10_000);
    expect(manifest.classes).toHaveLength(10);
    expect(manifest.classes[9]).toBe('Ankle boot');
    // The values that its users commonly normalise by.
    expect(manifest.mean[0]).toBeCloseTo(0.286, 4);
    expect(manifest.standardDeviation[0]).toBeCloseTo(0.353, 4);
    expect(manifest.splits.train.shards).toHaveLength(6);
  });

  it.each(['train', 'test'] as const)('has as many %s samples of each class', async (split) => {
    const samples = await loadSplit(directory.at('set'), manifest, split);
    const counts = new Uint32Array(10);
    for (let id = 0; id < samples.samples; id++) counts[samples.label(id)]! += 1;
    expect(new Set(counts)).toEqual(new Set([samples.samples / 10]));
  });
});
