import type { Fence } from '@skipring/protocol';
import { isBest } from '@skipring/trainer';
import { z } from 'zod';
import { CheckpointError, damaged } from './checkpoint-error.js';
import type { CheckpointName } from './checkpoint-names.js';
import { sha256, sha256InTurns } from './sha256.js';
import { MODEL_FILE, OPTIMIZER_FILE, snapshotManifestSchema } from './snapshot-format.js';
import type { FileName, SnapshotManifest, SnapshotParts } from './snapshot-format.js';
import type { CheckpointFiles, CheckpointStorage } from './storage.js';

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

/** A checkpoint's files: the snapshot's, then the record with the SHA-256 of its compact JSON. */
export function filesOf(record: CheckpointRecord, { files }: SnapshotParts): CheckpointFiles {
  const envelope = JSON.stringify({ sha256: hashOf(record), record }, null, 2);
  return new Map([...Object.entries(files), [MANIFEST_FILE, Buffer.from(`${envelope}\n`)]]);
}

/** What is recorded about a snapshot that is saved now. */
export function recordOf(fence: Fence, snapshot: SnapshotManifest): CheckpointRecord {
  const { jobId, attempt, generation } = fence;
  const createdAt = new Date().toISOString();
  return { jobId, attempt, generation, createdAt, best: isBest(snapshot), snapshot };
}

/** One checkpoint in a storage. All reads throw DAMAGED_CHECKPOINT, naming the file. */
export class StoredCheckpoint {
  constructor(
    private readonly storage: CheckpointStorage,
    private readonly jobId: string,
    readonly name: CheckpointName,
  ) {}

  /** Where it lies, for people. */
  get path(): string {
    return this.storage.locate(this.jobId, this.name);
  }

  async record(): Promise<CheckpointRecord> {
    const path = this.storage.locate(this.jobId, this.name, MANIFEST_FILE);
    const text = Buffer.from(await this.storage.read(this.jobId, this.name, MANIFEST_FILE));
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
    const { name } = this;
    if (step !== name.step || attempt !== name.attempt || generation !== name.generation) {
      throw damaged(path, `it is of step ${step}, attempt ${attempt}, generation ${generation}`);
    }
    return record;
  }

  /** Reads and verifies all files of the snapshot. */
  async parts({ snapshot }: CheckpointRecord): Promise<SnapshotParts> {
    const model = await this.file(snapshot, MODEL_FILE);
    const optimizer = await this.file(snapshot, OPTIMIZER_FILE);
    return { manifest: snapshot, files: { [MODEL_FILE]: model, [OPTIMIZER_FILE]: optimizer } };
  }

  /** Reads one file, and compares its size and SHA-256. */
  async file({ files }: SnapshotManifest, name: FileName): Promise<Uint8Array> {
    const expected = files[name];
    const path = this.storage.locate(this.jobId, this.name, name);
    const bytes = await this.storage.read(this.jobId, this.name, name);
    if (bytes.length !== expected.bytes) {
      throw damaged(path, `it has ${bytes.length} bytes; expected ${expected.bytes}`);
    }
    const found = await sha256InTurns(bytes);
    if (found !== expected.sha256) {
      throw damaged(path, `it has SHA-256 ${found}; expected ${expected.sha256}`);
    }
    return bytes;
  }

  /** Whether it is there, whole, and of this very snapshot. */
  async holds(record: CheckpointRecord): Promise<boolean> {
    try {
      const stored = await this.record();
      await this.parts(stored);
      return hashOf(stored.snapshot) === hashOf(record.snapshot);
    } catch (error) {
      if (error instanceof CheckpointError && error.code === 'DAMAGED_CHECKPOINT') return false;
      throw error;
    }
  }
}

function hashOf(record: unknown): string {
  return sha256(Buffer.from(JSON.stringify(record)));
}
