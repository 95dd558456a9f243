import { rm, symlink } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  idxBytes,
  idxImages,
  idxLabels,
  idxPixels,
  TEST,
  TRAIN,
  writeIdx,
} from '../../testing/idx-files.js';
import { readAll } from '../../testing/read-all.js';
import { TemporaryDirectory } from '../../testing/temporary-directory.js';
import { DEFAULT_LIMITS } from '../limits.js';
import { openIdx } from './idx.js';

const TRAIN_IMAGES = 'train-images-idx3-ubyte';
const TRAIN_LABELS = 'train-labels-idx1-ubyte';
const TEST_LABELS = 't10k-labels-idx1-ubyte';

describe('openIdx', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
  });
  afterEach(() => directory.remove());

  /** Opens and reads both splits, as a preparation does. */
  async function readBoth(limits = DEFAULT_LIMITS) {
    const source = await openIdx(directory.path, limits);
    const { train, test } = source.splits;
    return { source, train: await readAll(train), test: await readAll(test) };
  }

  it.each([false, true])('reads both splits (gzip: %s)', async (gzip) => {
    await writeIdx(directory, gzip);
    const { source, train, test } = await readBoth();
    expect(source).toMatchObject({ height: 3, width: 2, channels: 1, classes: ['0', '1', '2'] });
    expect(train).toEqual({ labels: TRAIN.labels, pixels: [...idxPixels(TRAIN)] });
    expect(test).toEqual({ labels: TEST.labels, pixels: [...idxPixels(TEST)] });
  });

  it('takes class names from classes.txt', async () => {
    await writeIdx(directory);
    await directory.write('classes.txt', 'ant\r\nbee\ncat\n\n');
    expect((await readBoth()).source.classes).toEqual(['ant', 'bee', 'cat']);
  });

  it('cuts a gzip bomb off where its header says that it ends', async () => {
    await writeIdx(directory, true);
    const endless = Buffer.concat([idxLabels(TRAIN), Buffer.alloc(64 * 2 ** 20)]);
    await directory.write(`${TRAIN_LABELS}.gz`, gzipSync(endless));
    await expect(readBoth()).rejects.toMatchObject({ code: 'TRAILING_BYTES', position: 13 });
  });

  it('stops at an aborted signal', async () => {
    await writeIdx(directory);
    const { splits } = await openIdx(directory.path, DEFAULT_LIMITS);
    const reading = splits.train
      .read(AbortSignal.abort(new Error('enough')))
      [Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow('enough');
  });

  const images = idxImages(TRAIN);
  const labels = idxLabels(TRAIN);
  const damagedGzip = Buffer.from(gzipSync(images));
  damagedGzip[damagedGzip.length - 6]! ^= 0xff;
  const gzipped = gzipSync(images);

  it.each([
    ['a file cut inside its pixels', TRAIN_IMAGES, images.subarray(0, -1), 'TRUNCATED', 45],
    ['a file cut inside its header', TRAIN_IMAGES, images.subarray(0, 10), 'TRUNCATED', 10],
    ['an empty file', TRAIN_IMAGES, Buffer.alloc(0), 'TRUNCATED', 0],
    ['labels cut short', TRAIN_LABELS, labels.subarray(0, -2), 'TRUNCATED', 11],
    [
      'bytes after the last image',
      TRAIN_IMAGES,
      Buffer.concat([images, Buffer.alloc(1)]),
      'TRAILING_BYTES',
      46,
    ],
    ['labels where images belong', TRAIN_IMAGES, labels, 'WRONG_MAGIC', 0],
    ['images where labels belong', TRAIN_LABELS, images, 'WRONG_MAGIC', 0],
    [
      'another element type',
      TRAIN_IMAGES,
      idxBytes(0xd03, [5, 3, 2], idxPixels(TRAIN)),
      'WRONG_MAGIC',
      0,
    ],
    [
      'fewer labels than images',
      TRAIN_LABELS,
      idxBytes(0x801, [4], Buffer.alloc(4)),
      'COUNT_MISMATCH',
      4,
    ],
    ['no labels', TRAIN_LABELS, idxBytes(0x801, [0], Buffer.alloc(0)), 'EMPTY_SPLIT', 4],
    [
      'images without rows',
      TRAIN_IMAGES,
      idxBytes(0x803, [5, 0, 2], Buffer.alloc(0)),
      'EMPTY_SPLIT',
      8,
    ],
    [
      'images that are too wide',
      TRAIN_IMAGES,
      idxBytes(0x803, [5, 3, 5000], Buffer.alloc(9)),
      'TOO_LARGE',
      12,
    ],
    [
      'more images than a split may hold',
      TRAIN_IMAGES,
      idxBytes(0x803, [0xffffffff, 3, 2], Buffer.alloc(9)),
      'TOO_LARGE',
      4,
    ],
    [
      'more pixels than a split may hold',
      TRAIN_IMAGES,
      idxBytes(0x803, [2 ** 28, 4096, 4096], Buffer.alloc(9)),
      'TOO_LARGE',
      4,
    ],
    [
      'another shape in the test split',
      't10k-images-idx3-ubyte',
      idxImages({ ...TEST, width: 3 }),
      'SHAPE_MISMATCH',
      8,
    ],
    [
      'a test label that training lacks',
      TEST_LABELS,
      idxBytes(0x801, [2], Buffer.from([2, 3])),
      'LABEL_OUT_OF_RANGE',
      9,
    ],
    ['damaged gzip data', TRAIN_IMAGES, damagedGzip, 'DAMAGED_GZIP', undefined],
    ['gzip data cut short', TRAIN_IMAGES, gzipped.subarray(0, -12), 'TRUNCATED', undefined],
    [
      'one class only',
      TRAIN_LABELS,
      idxBytes(0x801, [5], Buffer.alloc(5)),
      'TOO_FEW_CLASSES',
      undefined,
    ],
  ] as const)('refuses %s', async (_, name, bytes, code, position) => {
    await writeIdx(directory);
    const file = await directory.write(name, bytes);
    const error = await readBoth().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, file });
    if (position !== undefined) expect(error).toMatchObject({ position });
  });

  it.each([
    ['a label that has no name', 'ant\nbee\n', 'LABEL_OUT_OF_RANGE'],
    ['a repeated name', 'ant\nbee\nant\n', 'INVALID_CLASS_NAME'],
    ['an empty name', 'ant\n\ncat\n', 'INVALID_CLASS_NAME'],
    ['a single name', 'ant\n', 'TOO_FEW_CLASSES'],
  ])('refuses classes.txt with %s', async (_, text, code) => {
    await writeIdx(directory);
    await directory.write('classes.txt', text);
    await expect(readBoth()).rejects.toMatchObject({ code });
  });

  it('refuses more classes than the limit', async () => {
    await writeIdx(directory);
    const few = { ...DEFAULT_LIMITS, classes: 2 };
    await expect(readBoth(few)).rejects.toMatchObject({ code: 'TOO_MANY_CLASSES' });
  });

  it('names the label and what was expected', async () => {
    await writeIdx(directory);
    const file = await directory.write(TEST_LABELS, idxBytes(0x801, [2], Buffer.from([2, 3])));
    await expect(readBoth()).rejects.toThrow(
      `${file} at byte 9: label of sample 1 is 3; expected one in [0, 3)`,
    );
  });

  it('refuses a missing file, a missing directory and a link that leads out', async () => {
    await writeIdx(directory);
    const outside = await TemporaryDirectory.create();
    try {
      await rm(directory.at(TEST_LABELS));
      await expect(readBoth()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const target = await outside.write('labels', idxLabels(TEST));
      await symlink(target, directory.at(TEST_LABELS));
      await expect(readBoth()).rejects.toMatchObject({ code: 'PATH_OUTSIDE_DIRECTORY' });
      await expect(openIdx(directory.at('none'), DEFAULT_LIMITS)).rejects.toThrow(
        /none: expected a directory/,
      );
    } finally {
      await outside.remove();
    }
  });
});
