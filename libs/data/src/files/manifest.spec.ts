import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataSetManifest } from '@skipring/protocol';
import { TemporaryDirectory } from '../testing/temporary-directory.js';
import { canonicalJson } from './canonical-json.js';
import { manifestHash, parseManifest, readManifest } from './manifest.js';

const sha256 = 'ab'.repeat(32);
const manifest: DataSetManifest = {
  formatVersion: 1,
  name: 'tiny',
  height: 2,
  width: 2,
  channels: 1,
  classes: ['a', 'b'],
  mean: [0.5],
  standardDeviation: [0.25],
  splits: {
    train: {
      samples: 3,
      shards: [
        { file: 'train-00000.bin', firstSample: 0, samples: 2, bytes: 12, sha256 },
        { file: 'train-00001.bin', firstSample: 2, samples: 1, bytes: 6, sha256 },
      ],
    },
    test: {
      samples: 1,
      shards: [{ file: 'test-00000.bin', firstSample: 0, samples: 1, bytes: 6, sha256 }],
    },
  },
};

describe('manifests', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
  });
  afterEach(() => directory.remove());

  it('hash by content, whatever the order of their fields', () => {
    const reversed = Object.fromEntries(Object.entries(manifest).reverse()) as DataSetManifest;
    expect(manifestHash(reversed)).toBe(manifestHash(manifest));
    expect(manifestHash({ ...manifest, mean: [0.51] })).not.toBe(manifestHash(manifest));
    expect(manifestHash(manifest)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('have canonical JSON', () => {
    const value = { b: [1, 0.1, null, 'é"'], a: { d: true, c: undefined } };
    expect(canonicalJson(value)).toBe('{"a":{"d":true},"b":[1,0.1,null,"é\\""]}');
  });

  it('are read back', async () => {
    await directory.write('manifest.json', JSON.stringify(manifest));
    expect(await readManifest(directory.path)).toEqual(manifest);
  });

  it('are refused where missing or not JSON', async () => {
    await expect(readManifest(directory.path)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await directory.write('manifest.json', '{');
    await expect(readManifest(directory.path)).rejects.toMatchObject({ code: 'INVALID_MANIFEST' });
  });

  const { train, test } = manifest.splits;
  it.each([
    [{ ...manifest, mean: [0.5, 0.5] }, 'mean: expected 1 values'],
    [{ ...manifest, standardDeviation: [] }, 'standardDeviation: expected 1 values'],
    [{ ...manifest, extra: 1 }, 'Unrecognized key'],
    [{ ...manifest, height: 3 }, 'splits.train.shards.0.bytes: expected 16'],
    [{ ...manifest, splits: { train: test, test } }, 'splits.train.shards.0.file'],
    [
      { ...manifest, splits: { train: { ...train, samples: 4 }, test } },
      'splits.train.samples: expected 3',
    ],
    [
      { ...manifest, splits: { train: { samples: 1, shards: train.shards.slice(1) }, test } },
      'splits.train.shards.0.firstSample: expected 0',
    ],
  ])('are refused where their parts do not fit (%#)', (bad, message) => {
    expect(() => parseManifest(bad)).toThrow(message);
  });
});
