import type { TensorData, TensorMap } from '@skipring/trainer';
import { CheckpointError } from './checkpoint-error.js';

// https://huggingface.co/docs/safetensors: the header's length as uint64 (little endian), the
// header as JSON { name: { dtype, shape, data_offsets } }, the tensors' bytes without gaps.

const LENGTH_BYTES = 8;
/** Data starts at a multiple of this, by spaces at the end of the header. */
const ALIGNMENT = 8;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const MAX_DIMENSIONS = 16;
const FLOAT32_BYTES = 4;
/** The header's only entry that is no tensor: texts by name. */
const METADATA = '__metadata__';

/** Place of a tensor in a file. */
export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** First byte, and the one after the last, from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Float32 tensors as a safetensors file. Canonical: equal tensors give equal bytes, since names are
 * sorted (by UTF-16 code unit), data lies in that order, and nothing else is in the header but the
 * metadata, if any.
 */
export function encodeSafetensors(
  tensors: TensorMap,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const names = [...tensors.keys()].sort();
  let offset = 0;
  const described = names.map((name) => {
    const { shape, values } = requireTensor(tensors, name);
    const begin = offset;
    offset += values.byteLength;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, offset] })}`;
  });
  if (metadata !== undefined) {
    described.unshift(`${JSON.stringify(METADATA)}:${JSON.stringify(metadata)}`);
  }
  const json = Buffer.from(`{${described.join(',')}}`);
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const file = Buffer.alloc(LENGTH_BYTES + headerBytes + offset, ' ');
  file.writeBigUInt64LE(BigInt(headerBytes));
  json.copy(file, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const name of names) {
    const { values } = requireTensor(tensors, name);
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

/** Copies the tensors out of a file. Throws INVALID_SAFETENSORS on anything but a valid one. */
export function decodeSafetensors(file: Uint8Array): TensorMap {
  return new Map(
    readEntries(file).map(({ name, shape, begin, end }): [string, TensorData] => {
      const values = new Float32Array((end - begin) / FLOAT32_BYTES);
      new Uint8Array(values.buffer).set(file.subarray(begin, end));
      return [name, { shape, values }];
    }),
  );
}

/** Checks a file's whole header against its size, without touching the tensors' bytes. */
export function readEntries(file: Uint8Array): TensorEntry[] {
  const { header, dataStart } = readHeader(file);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, info]) => readEntry(name, info, dataStart))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);

  let expected = dataStart;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      throw invalid(`${shown(name)}: data begins at ${begin}; expected ${expected}, without gaps`);
    }
    expected = end;
  }
  if (expected !== file.length) {
    throw invalid(`the tensors end at byte ${expected} of ${file.length}; expected no other bytes`);
  }
  return entries;
}

/** The texts that a file carries besides tensors; none where it has no metadata. */
export function readMetadata(file: Uint8Array): ReadonlyMap<string, string> {
  const metadata: unknown = Reflect.get(readHeader(file).header, METADATA);
  if (typeof metadata !== 'object' || metadata === null) return new Map();
  return new Map(
    Object.entries(metadata).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text] as const] : [],
    ),
  );
}

function readHeader(file: Uint8Array): { header: object; dataStart: number } {
  if (file.length < LENGTH_BYTES) {
    throw invalid(`the file has ${file.length} bytes; expected at least ${LENGTH_BYTES}`);
  }
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const length = view.readBigUInt64LE();
  const limit = Math.min(MAX_HEADER_BYTES, file.length - LENGTH_BYTES);
  if (length < 2n || length > BigInt(limit)) {
    throw invalid(`header length is ${length}; expected 2 to ${limit} bytes`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  return { header: parseHeader(view.subarray(LENGTH_BYTES, dataStart)), dataStart };
}

function parseHeader(bytes: Buffer): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('the header is not JSON in UTF-8', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw invalid('the header is not a JSON object');
  }
  return header;
}

function readEntry(name: string, info: unknown, dataStart: number): TensorEntry {
  if (typeof info !== 'object' || info === null) {
    throw invalid(`${shown(name)}: expected an object with dtype, shape and data_offsets`);
  }
  const dtype: unknown = Reflect.get(info, 'dtype');
  if (dtype !== 'F32') {
    throw invalid(`${shown(name)}: dtype is ${shown(dtype)}; expected "F32"`);
  }
  const shape: unknown = Reflect.get(info, 'shape');
  if (!isCounts(shape) || shape.length > MAX_DIMENSIONS) {
    throw invalid(`${shown(name)}: shape is ${shown(shape)}; expected up to 16 whole numbers`);
  }
  const offsets: unknown = Reflect.get(info, 'data_offsets');
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw invalid(`${shown(name)}: data_offsets is ${shown(offsets)}; expected [begin, end]`);
  }
  const [begin = 0, end = 0] = offsets;
  const numBytes = shape.reduce((product, size) => product * size, FLOAT32_BYTES);
  if (end - begin !== numBytes) {
    throw invalid(
      `${shown(name)}: data_offsets span ${end - begin} bytes; expected ${numBytes} for its shape`,
    );
  }
  return { name, shape, begin: dataStart + begin, end: dataStart + end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function requireTensor(tensors: TensorMap, name: string): TensorData {
  const tensor = tensors.get(name);
  const length = tensor?.shape.reduce((product, size) => product * size, 1);
  if (tensor === undefined || tensor.values.length !== length) {
    const found = tensor?.values.length ?? 0;
    throw invalid(`${shown(name)}: ${found} values; expected ${length ?? 0} for its shape`);
  }
  return tensor;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 200);
}

function invalid(message: string, options?: ErrorOptions): CheckpointError {
  return new CheckpointError('INVALID_SAFETENSORS', message, options);
}
