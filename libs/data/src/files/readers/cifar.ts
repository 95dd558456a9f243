import { join } from 'node:path';
import { stat } from 'node:fs/promises';
import { DataError } from '../../error.js';
import { ByteReader } from '../byte-reader.js';
import { readClassNames } from '../class-names.js';
import type { ReadLimits } from '../limits.js';
import { findFile, requireFile } from '../paths.js';
import { samplesPerChunk, type DataSource, type SampleChunk, type SourceSplit } from '../source.js';

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const PIXELS = PLANE * CHANNELS;

/** One of the two binary versions: Krizhevsky, "Learning multiple layers of features", 2009. */
interface CifarVersion {
  /** Directory that the published archive unpacks to. */
  readonly archiveDirectory: string;
  readonly trainFiles: readonly string[];
  readonly testFiles: readonly string[];
  readonly classFile: string;
  /** Bytes before the pixels; the last of them is the label used. */
  readonly labelBytes: number;
  readonly numClasses: number;
}

const CIFAR10: CifarVersion = {
  archiveDirectory: 'cifar-10-batches-bin',
  trainFiles: [1, 2, 3, 4, 5].map((index) => `data_batch_${index}.bin`),
  testFiles: ['test_batch.bin'],
  classFile: 'batches.meta.txt',
  labelBytes: 1,
  numClasses: 10,
};

const CIFAR100: CifarVersion = {
  archiveDirectory: 'cifar-100-binary',
  trainFiles: ['train.bin'],
  testFiles: ['test.bin'],
  classFile: 'fine_label_names.txt',
  // The coarse label, then the fine one.
  labelBytes: 2,
  numClasses: 100,
};

/** A file of records, already measured. */
interface CifarFile {
  readonly file: string;
  readonly samples: number;
}

/**
 * CIFAR-10's binary version: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, in the
 * directory or in the one that the archive unpacks to.
 */
export function openCifar10(directory: string, limits: ReadLimits): Promise<DataSource> {
  return openCifar(directory, CIFAR10, limits);
}

/** CIFAR-100's binary version, `train.bin` and `test.bin`, with the fine labels. */
export function openCifar100(directory: string, limits: ReadLimits): Promise<DataSource> {
  return openCifar(directory, CIFAR100, limits);
}

async function openCifar(
  directory: string,
  version: CifarVersion,
  limits: ReadLimits,
): Promise<DataSource> {
  const inside = await findFile(directory, version.testFiles[0] ?? '');
  const root = inside === undefined ? await archiveRoot(directory, version) : directory;
  const classes =
    (await readClassNames(root, version.classFile, limits)) ??
    Array.from({ length: version.numClasses }, (_, index) => String(index));
  if (classes.length !== version.numClasses) {
    throw new DataError(
      'COUNT_MISMATCH',
      `has ${classes.length} class names; expected ${version.numClasses}`,
      { file: join(root, version.classFile) },
    );
  }
  return {
    height: SIDE,
    width: SIDE,
    channels: CHANNELS,
    classes,
    splits: {
      train: await openSplit(root, version, version.trainFiles, limits),
      test: await openSplit(root, version, version.testFiles, limits),
    },
  };
}

/** The archive's own directory if it lies in `directory`, else `directory`. */
async function archiveRoot(directory: string, version: CifarVersion): Promise<string> {
  const testFile = join(version.archiveDirectory, version.testFiles[0] ?? '');
  const found = await findFile(directory, testFile);
  return found === undefined ? directory : join(directory, version.archiveDirectory);
}

async function openSplit(
  root: string,
  version: CifarVersion,
  names: readonly string[],
  limits: ReadLimits,
): Promise<SourceSplit> {
  const files: CifarFile[] = [];
  for (const name of names) {
    files.push(await measure(await requireFile(root, name), version, limits));
  }
  return {
    samples: files.reduce((sum, { samples }) => sum + samples, 0),
    read: (signal) => readFiles(files, version, signal),
  };
}

async function measure(
  file: string,
  version: CifarVersion,
  limits: ReadLimits,
): Promise<CifarFile> {
  const recordBytes = version.labelBytes + PIXELS;
  const { size } = await stat(file);
  if (size === 0) throw new DataError('EMPTY_SPLIT', 'is empty', { file, position: 0 });
  if (size > limits.splitBytes) {
    throw new DataError('TOO_LARGE', `has ${size} bytes; expected <= ${limits.splitBytes}`, {
      file,
    });
  }
  const rest = size % recordBytes;
  if (rest !== 0) {
    throw new DataError(
      'TRUNCATED',
      `last record has ${rest} bytes; expected records of ${recordBytes} bytes`,
      { file, position: size - rest },
    );
  }
  return { file, samples: size / recordBytes };
}

async function* readFiles(
  files: readonly CifarFile[],
  version: CifarVersion,
  signal?: AbortSignal,
): AsyncGenerator<SampleChunk> {
  const recordBytes = version.labelBytes + PIXELS;
  const chunkSamples = samplesPerChunk(recordBytes);
  for (const { file, samples: fileSamples } of files) {
    const reader = await ByteReader.open(file);
    try {
      for (let first = 0; first < fileSamples; first += chunkSamples) {
        signal?.throwIfAborted();
        const samples = Math.min(chunkSamples, fileSamples - first);
        const position = reader.position;
        const records = await reader.read(samples * recordBytes, 'records');
        yield decodeRecords(records, samples, version, { file, position });
      }
    } finally {
      reader.close();
    }
  }
}

function decodeRecords(
  records: Buffer,
  samples: number,
  version: CifarVersion,
  place: { file: string; position: number },
): SampleChunk {
  const recordBytes = version.labelBytes + PIXELS;
  const labels = new Uint16Array(samples);
  const pixels = new Uint8Array(samples * PIXELS);
  for (let sample = 0; sample < samples; sample++) {
    const labelAt = sample * recordBytes + version.labelBytes - 1;
    const label = records[labelAt]!;
    if (label >= version.numClasses) {
      throw new DataError(
        'LABEL_OUT_OF_RANGE',
        `label is ${label}; expected one in [0, ${version.numClasses})`,
        { file: place.file, position: place.position + labelAt },
      );
    }
    labels[sample] = label;
    interleave(records, labelAt + 1, pixels, sample * PIXELS);
  }
  return { samples, labels, pixels };
}

/** Red, green and blue planes to HWC. */
function interleave(planes: Buffer, from: number, pixels: Uint8Array, to: number): void {
  for (let index = 0; index < PLANE; index++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      pixels[to + index * CHANNELS + channel] = planes[from + channel * PLANE + index]!;
    }
  }
}
