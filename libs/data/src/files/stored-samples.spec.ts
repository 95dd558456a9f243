import { join } from 'node:path';
import { truncate } from 'node:fs/promises';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSetManifest } from '@skipring/protocol';
import { TemporaryDirectory } from '../testing/temporary-directory.js';
import { encodePng, MAX_PNG_SIDE } from './encode-png.js';
import { loadSplit } from './load-shards.js';
import { prepareDataSet } from './prepare.js';
import { readLabels, readPixels } from './stored-samples.js';

describe('samples of a prepared data set', () => {
  let temporary: TemporaryDirectory;
  let directory: string;
  let manifest: DataSetManifest;

  beforeAll(async () => {
    temporary = await TemporaryDirectory.create();
    directory = temporary.at('glyphs');
    manifest = await prepareDataSet(
      { name: 'glyphs', format: 'glyphs', seed: 3, trainSamples: 60, testSamples: 10 },
      directory,
      { shardBytes: 20_000 },
    );
  });

  afterAll(() => temporary.remove());

  it('are read one by one as they are read together, over several shards', async () => {
    expect(manifest.splits.train.shards.length).toBeGreaterThan(2);
    for (const split of ['train', 'test'] as const) {
      const source = await loadSplit(directory, manifest, split);
      const labels = await readLabels(directory, manifest, split);
      expect(labels).toHaveLength(source.samples);
      for (let id = 0; id < source.samples; id++) {
        expect(labels[id]).toBe(source.label(id));
        const pixels = await readPixels(directory, manifest, split, id);
        expect(Buffer.compare(pixels, source.record(id).pixels)).toBe(0);
      }
    }
  });

  it('behind the last are refused', async () => {
    await expect(readPixels(directory, manifest, 'test', 10)).rejects.toThrow(
      'sample is 10; expected one in [0, 10)',
    );
  });

  it('in a file that was cut off are damaged', async () => {
    const [shard] = manifest.splits.test.shards;
    await truncate(join(directory, shard!.file), 100);
    await expect(readPixels(directory, manifest, 'test', 9)).rejects.toMatchObject({
      code: 'SHARD_DAMAGED',
    });
    await expect(readLabels(directory, manifest, 'test')).rejects.toThrow('too short');
  });
});

describe('encodePng', () => {
  it('keeps the pixels of grey and coloured images', () => {
    for (const channels of [1, 3]) {
      const shape = { height: 5, width: 7, channels };
      const pixels = Uint8Array.from({ length: 35 * channels }, (_, i) => (i * 37) % 256);
      const png = PNG.sync.read(encodePng(shape, pixels));
      expect([png.width, png.height]).toEqual([7, 5]);
      for (let i = 0; i < 35; i++) {
        const [red, green, blue] = png.data.subarray(i * 4);
        const from = i * channels;
        const expected = [0, 1, 2].map((c) => pixels[from + (channels === 1 ? 0 : c)]);
        expect([red, green, blue]).toEqual(expected);
      }
    }
  });

  it('shows a large image by some of its rows and columns', () => {
    const shape = { height: 1_030, width: 20, channels: 1 };
    const pixels = Uint8Array.from({ length: 20_600 }, (_, i) => Math.floor(i / 20) % 256);
    const png = PNG.sync.read(encodePng(shape, pixels));
    expect([png.width, png.height]).toEqual([7, 344]);
    expect(png.height).toBeLessThanOrEqual(MAX_PNG_SIDE);
    expect(png.data[7 * 4]).toBe(3);
  });
});
