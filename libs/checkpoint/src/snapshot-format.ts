import { positionSchema } from '@skipring/protocol';
import { OPTIMIZER_PREFIX } from '@skipring/trainer';
import type { Snapshot, TensorMap } from '@skipring/trainer';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.js';
import { decodeSafetensors, encodeSafetensors, readEntries } from './safetensors.js';
import { sha256 } from './sha256.js';

// A snapshot in one piece, as a worker uploads it:
//
//     "skipring" | manifest length, uint32 little endian | manifest, JSON | model | optimizer

const MAGIC = Buffer.from('skipring');
const PREFIX_BYTES = MAGIC.length + 4;
const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Parameters and moving statistics: what the model's SHA-256 is of. */
export const MODEL_FILE = 'model.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const FILE_NAMES = [MODEL_FILE, OPTIMIZER_FILE] as const;
export type FileName = (typeof FILE_NAMES)[number];

const scoreSchema = z
  .strictObject({ step: z.int().min(0), accuracy: z.number().min(0).max(1) })
  .nullable();
const fileSchema = z.strictObject({
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const snapshotManifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  position: positionSchema,
  /** By slot of the reduced vector. */
  exponents: z.array(z.int().min(-128).max(127)).max(100_000),
  scores: z.strictObject({ last: scoreSchema, best: scoreSchema }),
  files: z.strictObject({ [MODEL_FILE]: fileSchema, [OPTIMIZER_FILE]: fileSchema }),
});
export type SnapshotManifest = z.output<typeof snapshotManifestSchema>;

/** The files of a snapshot, as views of the bytes that they came in. */
export interface SnapshotParts {
  readonly manifest: SnapshotManifest;
  readonly files: Readonly<Record<FileName, Uint8Array>>;
}

/** The model as a safetensors file: the same bytes wherever and however it was trained. */
export function modelFile(tensors: TensorMap): Uint8Array {
  return encodeSafetensors(new Map([...tensors].filter(([name]) => !isOptimizerSlot(name))));
}

export function modelSha256(tensors: TensorMap): string {
  return sha256(modelFile(tensors));
}

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { position, exponents, scores, tensors } = snapshot;
  const optimizer = new Map([...tensors].filter(([name]) => isOptimizerSlot(name)));
  const files = {
    [MODEL_FILE]: modelFile(tensors),
    [OPTIMIZER_FILE]: encodeSafetensors(optimizer),
  };
  const describe = (bytes: Uint8Array) => ({ bytes: bytes.length, sha256: sha256(bytes) });
  const manifest: SnapshotManifest = {
    formatVersion: 1,
    position,
    exponents: [...exponents],
    scores: { last: scores.last, best: scores.best },
    files: {
      [MODEL_FILE]: describe(files[MODEL_FILE]),
      [OPTIMIZER_FILE]: describe(files[OPTIMIZER_FILE]),
    },
  };
  const json = Buffer.from(JSON.stringify(manifest));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  MAGIC.copy(prefix);
  prefix.writeUInt32LE(json.length, MAGIC.length);
  return Buffer.concat([prefix, json, files[MODEL_FILE], files[OPTIMIZER_FILE]]);
}

/**
 * Checks everything about a snapshot but the files' hashes, and copies nothing.
 *
 * @throws CheckpointError INVALID_SNAPSHOT or INVALID_SAFETENSORS
 */
export function splitSnapshot(bytes: Uint8Array): SnapshotParts {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < PREFIX_BYTES || !view.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw invalid('the bytes do not begin with "skipring" and a length');
  }
  const length = view.readUInt32LE(MAGIC.length);
  const limit = Math.min(MAX_MANIFEST_BYTES, view.length - PREFIX_BYTES);
  if (length > limit) throw invalid(`manifest length is ${length}; expected at most ${limit}`);
  const modelStart = PREFIX_BYTES + length;
  const manifest = parseManifest(view.subarray(PREFIX_BYTES, modelStart));

  const optimizerStart = modelStart + manifest.files[MODEL_FILE].bytes;
  const end = optimizerStart + manifest.files[OPTIMIZER_FILE].bytes;
  if (end !== view.length) throw invalid(`${view.length} bytes; expected ${end} by the manifest`);
  const files = {
    [MODEL_FILE]: view.subarray(modelStart, optimizerStart),
    [OPTIMIZER_FILE]: view.subarray(optimizerStart, end),
  };
  requireNames(files[MODEL_FILE], MODEL_FILE, false);
  requireNames(files[OPTIMIZER_FILE], OPTIMIZER_FILE, true);
  return { manifest, files };
}

/** The inverse of `encodeSnapshot`; checks hashes too. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const parts = splitSnapshot(bytes);
  for (const name of FILE_NAMES) requireHash(parts, name, sha256(parts.files[name]));
  return toSnapshot(parts);
}

export function requireHash({ manifest }: SnapshotParts, name: FileName, found: string): void {
  const expected = manifest.files[name].sha256;
  if (found !== expected) throw invalid(`${name} has SHA-256 ${found}; expected ${expected}`);
}

export function toSnapshot({ manifest, files }: SnapshotParts): Snapshot {
  const { position, exponents, scores } = manifest;
  const model = decodeSafetensors(files[MODEL_FILE]);
  const optimizer = decodeSafetensors(files[OPTIMIZER_FILE]);
  const tensors = new Map([...model, ...optimizer]);
  return { position, exponents: Int32Array.from(exponents), scores, tensors };
}

function parseManifest(json: Buffer): SnapshotManifest {
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (cause) {
    throw invalid('the manifest is not JSON', { cause });
  }
  const parsed = snapshotManifestSchema.safeParse(value);
  if (!parsed.success) throw invalid(`manifest: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function requireNames(file: Uint8Array, fileName: string, optimizer: boolean): void {
  const stray = readEntries(file).find(({ name }) => isOptimizerSlot(name) !== optimizer);
  if (stray === undefined) return;
  const expected = optimizer ? 'only' : 'no';
  throw invalid(
    `${fileName} holds ${stray.name}; expected ${expected} ${OPTIMIZER_PREFIX} tensors`,
  );
}

function isOptimizerSlot(name: string): boolean {
  return name.startsWith(OPTIMIZER_PREFIX);
}

function invalid(message: string, options?: ErrorOptions): CheckpointError {
  return new CheckpointError('INVALID_SNAPSHOT', message, options);
}
