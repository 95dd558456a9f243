import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fence } from '@skipring/protocol';
import { isBest } from '@skipring/trainer';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.js';
import type { CheckpointName } from './checkpoint-names.js';
import { sha256, sha256InTurns } from './sha256.js';
import { MODEL_FILE, OPTIMIZER_FILE, snapshotManifestSchema } from './snapshot-format.js';
import type { FileName, SnapshotManifest, SnapshotParts } from './snapshot-format.js';

export const MANIFEST_FILE = 'manifest.json';

const recordSchema = z.strictObject({
  jobId: z.string(),
  attempt: z.int(),
  generation: z.int(),
  createdAt: z.iso.datetime(),
  /** True when this step's evaluation was the best so far. */
  best: z.boolean(),
  snapshot: snapshotManifestSchema,
});
/** What is known about a stored checkpoint: its snapshot's manifest, and when and by whom. */
export type CheckpointRecord = z.output<typeof recordSchema>;

const envelopeSchema = z.strictObject({ sha256: z.string(), record: z.unknown() });

/** The text of `manifest.json`: the record, with the SHA-256 of its own compact JSON. */
export function encodeManifest(record: CheckpointRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify({ sha256: hashOf(record), record }, null, 2)}\n`);
}

/** Throws DAMAGED_CHECKPOINT, naming the file. */
export async function readRecord(
  directory: string,
  name: CheckpointName,
): Promise<CheckpointRecord> {
  const path = join(directory, MANIFEST_FILE);
  const text = await read(path);
  let record: CheckpointRecord;
  try {
    const envelope = envelopeSchema.parse(JSON.parse(text.toString('utf8')));
    if (hashOf(envelope.record) !== envelope.sha256) {
      throw new Error('its SHA-256 is not that of its contents');
    }
    record = recordSchema.parse(envelope.record);
  } catch (cause) {
    throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { attempt, generation, snapshot } = record;
  const { step } = snapshot.position;
  if (step !== name.step || attempt !== name.attempt || generation !== name.generation) {
    throw damaged(path, `it is of step ${step}, attempt ${attempt}, generation ${generation}`);
  }
  return record;
}

/** What is recorded about a snapshot that is saved now. */
export function recordOf(fence: Fence, snapshot: SnapshotManifest): CheckpointRecord {
  const { jobId, attempt, generation } = fence;
  const createdAt = new Date().toISOString();
  return { jobId, attempt, generation, createdAt, best: isBest(snapshot), snapshot };
}

/** Whether a directory holds this very snapshot, whole. */
export async function holds(
  directory: string,
  name: CheckpointName,
  record: CheckpointRecord,
): Promise<boolean> {
  try {
    const stored = await readRecord(directory, name);
    await readParts(directory, stored);
    return hashOf(stored.snapshot) === hashOf(record.snapshot);
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

/** Reads and verifies all files. Throws DAMAGED_CHECKPOINT, naming the file. */
export async function readParts(
  directory: string,
  { snapshot }: CheckpointRecord,
): Promise<SnapshotParts> {
  const model = await readVerified(directory, MODEL_FILE, snapshot.files[MODEL_FILE]);
  const optimizer = await readVerified(directory, OPTIMIZER_FILE, snapshot.files[OPTIMIZER_FILE]);
  return { manifest: snapshot, files: { [MODEL_FILE]: model, [OPTIMIZER_FILE]: optimizer } };
}

/** Reads one file and compares its size and SHA-256. Throws DAMAGED_CHECKPOINT, naming the file. */
export async function readVerified(
  directory: string,
  name: FileName,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<Uint8Array> {
  const path = join(directory, name);
  const bytes = await read(path);
  if (bytes.length !== expected.bytes) {
    throw damaged(path, `it has ${bytes.length} bytes; expected ${expected.bytes}`);
  }
  const found = await sha256InTurns(bytes);
  if (found !== expected.sha256) {
    throw damaged(path, `it has SHA-256 ${found}; expected ${expected.sha256}`);
  }
  return bytes;
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function hashOf(record: unknown): string {
  return sha256(Buffer.from(JSON.stringify(record)));
}

function damaged(path: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError('DAMAGED_CHECKPOINT', `${path} is damaged: ${why}`, { cause });
}
