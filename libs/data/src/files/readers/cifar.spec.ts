import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAll } from '../../testing/read-all.js';
import { TemporaryDirectory } from '../../testing/temporary-directory.js';
import { DEFAULT_LIMITS } from '../limits.js';
import { openCifar10, openCifar100 } from './cifar.js';

const PLANE = 1024;
const CIFAR10_RECORD = 1 + 3 * PLANE;

/** Records of one byte a label; pixel p of channel c of sample s is (s + 3 * p + 100 * c) mod 256. */
function records(labels: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    labels.map((bytes, sample) => {
      const planes = Uint8Array.from({ length: 3 * PLANE }, (_, index) => {
        const channel = Math.floor(index / PLANE);
        return (sample + 3 * (index % PLANE) + 100 * channel) % 256;
      });
      return Buffer.concat([Uint8Array.from(bytes), planes]);
    }),
  );
}

/** The same pixels as `records`, in HWC order. */
function interleaved(samples: number): number[] {
  const pixels: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    for (let pixel = 0; pixel < PLANE; pixel++) {
      for (const channel of [0, 1, 2]) pixels.push((sample + 3 * pixel + 100 * channel) % 256);
    }
  }
  return pixels;
}

describe('CIFAR readers', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
  });
  afterEach(() => directory.remove());

  async function writeCifar10(prefix = ''): Promise<void> {
    for (let batch = 1; batch <= 5; batch++) {
      await directory.write(`${prefix}data_batch_${batch}.bin`, records([[batch], [9]]));
    }
    await directory.write(`${prefix}test_batch.bin`, records([[3]]));
  }

  async function readTrain10() {
    return readAll((await openCifar10(directory.path, DEFAULT_LIMITS)).splits.train);
  }

  it.each(['', 'cifar-10-batches-bin/'])('reads CIFAR-10 in "%s"', async (prefix) => {
    await writeCifar10(prefix);
    const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    await directory.write(`${prefix}batches.meta.txt`, `${names.join('\n')}\n\n`);
    const source = await openCifar10(directory.path, DEFAULT_LIMITS);
    expect(source).toMatchObject({ height: 32, width: 32, channels: 3, classes: names });
    expect(source.splits.train.samples).toBe(10);
    const train = await readAll(source.splits.train);
    expect(train.labels).toEqual([1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    expect(train.pixels.slice(0, 2 * 3 * PLANE)).toEqual(interleaved(2));
    const test = await readAll(source.splits.test);
    expect(test).toEqual({ labels: [3], pixels: interleaved(1) });
  });

  it('reads the fine labels of CIFAR-100, numbered where they have no names', async () => {
    await directory.write(
      'train.bin',
      records([
        [19, 99],
        [0, 1],
        [4, 50],
      ]),
    );
    await directory.write('test.bin', records([[1, 0]]));
    const source = await openCifar100(directory.path, DEFAULT_LIMITS);
    expect(source.classes).toHaveLength(100);
    expect(source.classes[99]).toBe('99');
    const train = await readAll(source.splits.train);
    expect(train).toEqual({ labels: [99, 1, 50], pixels: interleaved(3) });
  });

  it('refuses a file that ends inside a record', async () => {
    await writeCifar10();
    const cut = records([[1], [2]]).subarray(0, -1);
    const file = await directory.write('data_batch_4.bin', cut);
    await expect(readTrain10()).rejects.toMatchObject({
      code: 'TRUNCATED',
      file,
      position: CIFAR10_RECORD,
    });
  });

  it('refuses a label out of range, at its byte', async () => {
    await writeCifar10();
    const file = await directory.write('data_batch_2.bin', records([[0], [10]]));
    await expect(readTrain10()).rejects.toMatchObject({
      code: 'LABEL_OUT_OF_RANGE',
      file,
      position: CIFAR10_RECORD,
    });
  });

  it('refuses a fine label out of range', async () => {
    await directory.write('train.bin', records([[0, 100]]));
    await directory.write('test.bin', records([[1, 0]]));
    const { splits } = await openCifar100(directory.path, DEFAULT_LIMITS);
    await expect(readAll(splits.train)).rejects.toMatchObject({
      code: 'LABEL_OUT_OF_RANGE',
      position: 1,
    });
  });

  it('refuses missing, empty and over-large files, and too few names', async () => {
    await expect(readTrain10()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await writeCifar10();
    await directory.write('test_batch.bin', '');
    await expect(readTrain10()).rejects.toMatchObject({ code: 'EMPTY_SPLIT' });
    await writeCifar10();
    const tight = { ...DEFAULT_LIMITS, splitBytes: CIFAR10_RECORD };
    await expect(openCifar10(directory.path, tight)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await directory.write('batches.meta.txt', 'cat\ndog\n');
    await expect(readTrain10()).rejects.toMatchObject({ code: 'COUNT_MISMATCH' });
  });
});
