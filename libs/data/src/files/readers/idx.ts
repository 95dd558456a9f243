import { createHash } from 'node:crypto';
import { DataError } from '../../error.js';
import { ByteReader } from '../byte-reader.js';
import { checkClassNames, readClassNames } from '../class-names.js';
import type { ReadLimits } from '../limits.js';
import { requireFile } from '../paths.js';
import { samplesPerChunk, type DataSource, type SampleChunk, type SourceSplit } from '../source.js';
import { knownIdxClasses } from './idx-known.js';

// The magic number of the IDX format: two zero bytes, the element type (8: uint8), the dimensions.
const LABELS_MAGIC = 0x00000801;
const IMAGES_MAGIC = 0x00000803;

interface IdxLabels {
  readonly file: string;
  readonly labels: Buffer;
}

interface IdxImages {
  readonly file: string;
  readonly samples: number;
  readonly height: number;
  readonly width: number;
}

/**
 * MNIST's format, in files under their original names, gzipped or not: `train-images-idx3-ubyte`,
 * `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`. Class names come
 * from `classes.txt` (one a line) where there is one; else from the training labels.
 *
 * @throws DataError naming the file and, where it applies, the byte position in its content
 */
export async function openIdx(directory: string, limits: ReadLimits): Promise<DataSource> {
  const trainLabels = await readLabels(directory, 'train', limits);
  const testLabels = await readLabels(directory, 't10k', limits);
  const train = await readImagesHeader(directory, 'train', limits);
  const test = await readImagesHeader(directory, 't10k', limits);
  if (test.height !== train.height || test.width !== train.width) {
    const message = `images are ${test.height}x${test.width}; expected ${train.height}x${train.width} as in ${train.file}`;
    throw new DataError('SHAPE_MISMATCH', message, { file: test.file, position: 8 });
  }
  requireSameCount(train, trainLabels);
  requireSameCount(test, testLabels);

  const classes = await classNames(directory, trainLabels, limits);
  requireLabelsBelow(classes.length, trainLabels);
  requireLabelsBelow(classes.length, testLabels);
  return {
    height: train.height,
    width: train.width,
    channels: 1,
    classes,
    splits: { train: split(train, trainLabels), test: split(test, testLabels) },
  };
}

async function readLabels(
  directory: string,
  prefix: string,
  limits: ReadLimits,
): Promise<IdxLabels> {
  const name = `${prefix}-labels-idx1-ubyte`;
  const file = await requireFile(directory, name, `${name}.gz`);
  const reader = await ByteReader.open(file);
  try {
    await expectMagic(reader, LABELS_MAGIC);
    const samples = await readCount(reader, 'labels', limits.samples);
    const labels = await reader.read(samples, 'labels');
    await reader.expectEnd(`${samples} labels`);
    return { file, labels };
  } finally {
    reader.close();
  }
}

async function readImagesHeader(
  directory: string,
  prefix: string,
  limits: ReadLimits,
): Promise<IdxImages> {
  const name = `${prefix}-images-idx3-ubyte`;
  const file = await requireFile(directory, name, `${name}.gz`);
  const reader = await ByteReader.open(file);
  try {
    return { file, ...(await readImageCounts(reader, limits)) };
  } finally {
    reader.close();
  }
}

async function readImageCounts(
  reader: ByteReader,
  limits: ReadLimits,
): Promise<Omit<IdxImages, 'file'>> {
  await expectMagic(reader, IMAGES_MAGIC);
  const samples = await readCount(reader, 'images', limits.samples);
  const height = await readCount(reader, 'rows', limits.side);
  const width = await readCount(reader, 'columns', limits.side);
  const bytes = samples * height * width;
  if (bytes > limits.splitBytes) {
    throw new DataError(
      'TOO_LARGE',
      `declares ${bytes} bytes of pixels; expected at most ${limits.splitBytes}`,
      { file: reader.file, position: 4 },
    );
  }
  return { samples, height, width };
}

async function expectMagic(reader: ByteReader, expected: number): Promise<void> {
  const magic = (await reader.read(4, 'magic number')).readUInt32BE();
  if (magic !== expected) {
    throw new DataError(
      'WRONG_MAGIC',
      `magic number is 0x${hex(magic)}; expected 0x${hex(expected)}`,
      { file: reader.file, position: 0 },
    );
  }
}

async function readCount(reader: ByteReader, what: string, limit: number): Promise<number> {
  const position = reader.position;
  const count = (await reader.read(4, `number of ${what}`)).readUInt32BE();
  if (count < 1 || count > limit) {
    throw new DataError(
      count === 0 ? 'EMPTY_SPLIT' : 'TOO_LARGE',
      `declares ${count} ${what}; expected 1 to ${limit}`,
      { file: reader.file, position },
    );
  }
  return count;
}

function requireSameCount(images: IdxImages, { file, labels }: IdxLabels): void {
  if (images.samples !== labels.length) {
    throw new DataError(
      'COUNT_MISMATCH',
      `declares ${labels.length} labels; expected ${images.samples}, the images in ${images.file}`,
      { file, position: 4 },
    );
  }
}

async function classNames(
  directory: string,
  train: IdxLabels,
  limits: ReadLimits,
): Promise<readonly string[]> {
  const named = await readClassNames(directory, 'classes.txt', limits);
  if (named !== undefined) return named;
  const known = knownIdxClasses(createHash('sha256').update(train.labels).digest('hex'));
  if (known !== undefined) return known;
  const numClasses = train.labels.reduce((max, label) => Math.max(max, label), 0) + 1;
  const numbered = Array.from({ length: numClasses }, (_, index) => String(index));
  checkClassNames(numbered, train.file, limits);
  return numbered;
}

function requireLabelsBelow(numClasses: number, { file, labels }: IdxLabels): void {
  const index = labels.findIndex((label) => label >= numClasses);
  if (index < 0) return;
  throw new DataError(
    'LABEL_OUT_OF_RANGE',
    `label of sample ${index} is ${labels[index] ?? 0}; expected one in [0, ${numClasses})`,
    { file, position: 8 + index },
  );
}

function split(images: IdxImages, labels: IdxLabels): SourceSplit {
  return {
    samples: images.samples,
    read: (signal) => readImages(images, labels.labels, signal),
  };
}

async function* readImages(
  images: IdxImages,
  labels: Buffer,
  signal?: AbortSignal,
): AsyncGenerator<SampleChunk> {
  const sampleBytes = images.height * images.width;
  const chunkSamples = samplesPerChunk(sampleBytes);
  const reader = await ByteReader.open(images.file);
  try {
    await reader.read(16, 'header');
    for (let first = 0; first < images.samples; first += chunkSamples) {
      signal?.throwIfAborted();
      const samples = Math.min(chunkSamples, images.samples - first);
      const pixels = await reader.read(samples * sampleBytes, `images from sample ${first}`);
      yield { samples, labels: Uint16Array.from(labels.subarray(first, first + samples)), pixels };
    }
    await reader.expectEnd(`${images.samples} images`);
  } finally {
    reader.close();
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
