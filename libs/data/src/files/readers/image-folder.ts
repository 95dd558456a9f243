import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../error.js';
import { checkClassNames } from '../class-names.js';
import type { ReadLimits } from '../limits.js';
import { requireDirectory } from '../paths.js';
import { samplesPerChunk, type DataSource, type SampleChunk, type SourceSplit } from '../source.js';
import { decodeImage } from './decode-image.js';
import { imageInfo, type ImageInfo } from './image-info.js';

const IMAGE_NAME = /\.(png|jpe?g)$/i;
/** Room for colour profiles, thumbnails and other metadata in an image file. */
const METADATA_BYTES = 2 ** 20;

interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

type ImageForm = Pick<ImageInfo, 'height' | 'width' | 'channels'>;

/**
 * A directory per split and class: `train/<class>/*.png|jpg|jpeg`, `test/<class>/...`. Classes are
 * the sorted directory names of `train`; files are taken in sorted order; all images must have the
 * size and channels of the first. Links and other entries are refused; names that start with a dot
 * are passed over.
 */
export async function openImageFolder(directory: string, limits: ReadLimits): Promise<DataSource> {
  const root = await requireDirectory(directory);
  const trainDirectory = await requireDirectory(join(root, 'train'));
  const classes = await classDirectories(trainDirectory);
  checkClassNames(classes, trainDirectory, limits);
  const train = await listSplit(trainDirectory, classes, limits);
  const test = await listSplit(await requireDirectory(join(root, 'test')), classes, limits);
  const form = await formOfFirst(train, limits);
  return {
    ...form,
    classes,
    splits: { train: split(train, form, limits), test: split(test, form, limits) },
  };
}

async function classDirectories(directory: string): Promise<string[]> {
  const entries = await entriesOf(directory);
  return entries.map((entry) => {
    if (!entry.isDirectory()) throw unexpected(directory, entry, 'a directory for each class');
    return entry.name;
  });
}

async function listSplit(
  directory: string,
  classes: readonly string[],
  limits: ReadLimits,
): Promise<LabelledFile[]> {
  const files: LabelledFile[] = [];
  for (const name of await classDirectories(directory)) {
    const label = classes.indexOf(name);
    if (label < 0) {
      throw new DataError('UNKNOWN_CLASS', `class ${name} has no directory in train`, {
        file: join(directory, name),
      });
    }
    for (const entry of await entriesOf(join(directory, name))) {
      if (!entry.isFile() || !IMAGE_NAME.test(entry.name)) {
        throw unexpected(join(directory, name), entry, 'only .png, .jpg and .jpeg files');
      }
      files.push({ path: join(directory, name, entry.name), label });
    }
    if (files.length > limits.samples) {
      const message = `has more than ${limits.samples} images`;
      throw new DataError('TOO_LARGE', message, { file: directory });
    }
  }
  if (files.length === 0) {
    throw new DataError('EMPTY_SPLIT', 'has no images', { file: directory });
  }
  return files;
}

/** Entries by name, in an order that no locale changes. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function unexpected(directory: string, entry: Dirent, expected: string): DataError {
  const file = join(directory, entry.name);
  return new DataError('UNEXPECTED_ENTRY', `expected ${expected} here`, { file });
}

async function formOfFirst(
  [first]: readonly LabelledFile[],
  limits: ReadLimits,
): Promise<ImageForm> {
  const file = first?.path ?? '';
  const { height, width, channels } = await readHeader(file, limits);
  return { height, width, channels };
}

async function readHeader(file: string, limits: ReadLimits): Promise<ImageInfo> {
  return headerOf(await readBounded(file, fileLimit(limits.side, limits.side)), file, limits);
}

function headerOf(bytes: Buffer, file: string, limits: ReadLimits): ImageInfo {
  const info = imageInfo(bytes);
  if ('problem' in info) {
    throw new DataError('UNREADABLE_IMAGE', info.problem, { file, position: info.position });
  }
  const { height, width } = info;
  if (height < 1 || width < 1 || height > limits.side || width > limits.side) {
    throw new DataError(
      'UNSUPPORTED_SHAPE',
      `is ${height}x${width}; expected sides of 1 to ${limits.side} pixels`,
      { file },
    );
  }
  return info;
}

/** An honest file is not much larger than its pixels uncompressed (4 channels of 2 bytes). */
function fileLimit(height: number, width: number): number {
  return height * width * 8 + METADATA_BYTES;
}

async function readBounded(file: string, limitBytes: number): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > limitBytes) {
        const message = `has ${size} bytes; expected at most ${limitBytes}`;
        throw new DataError('TOO_LARGE', message, { file });
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new DataError('READ_FAILED', `cannot be read (${code})`, { file }, { cause: error });
  }
}

function split(files: readonly LabelledFile[], form: ImageForm, limits: ReadLimits): SourceSplit {
  return { samples: files.length, read: (signal) => readFiles(files, form, limits, signal) };
}

async function* readFiles(
  files: readonly LabelledFile[],
  form: ImageForm,
  limits: ReadLimits,
  signal?: AbortSignal,
): AsyncGenerator<SampleChunk> {
  const sampleBytes = form.height * form.width * form.channels;
  const chunkSamples = samplesPerChunk(sampleBytes);
  for (let first = 0; first < files.length; first += chunkSamples) {
    const chunk = files.slice(first, first + chunkSamples);
    const pixels = new Uint8Array(chunk.length * sampleBytes);
    for (const [index, { path }] of chunk.entries()) {
      signal?.throwIfAborted();
      pixels.set(await readImage(path, form, limits), index * sampleBytes);
    }
    yield { samples: chunk.length, labels: Uint16Array.from(chunk, ({ label }) => label), pixels };
  }
}

async function readImage(file: string, form: ImageForm, limits: ReadLimits): Promise<Uint8Array> {
  const bytes = await readBounded(file, fileLimit(form.height, form.width));
  const info = headerOf(bytes, file, limits);
  const { height, width, channels } = info;
  if (height !== form.height || width !== form.width || channels !== form.channels) {
    throw new DataError(
      'SHAPE_MISMATCH',
      `is ${height}x${width}x${channels}; expected ${form.height}x${form.width}x${form.channels} ` +
        'as the first training image',
      { file },
    );
  }
  return decodeImage(bytes, info, file);
}
