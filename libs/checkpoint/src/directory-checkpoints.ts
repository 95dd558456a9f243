import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CheckpointView, Fence } from '@skipring/protocol';
import type { Snapshot } from '@skipring/trainer';
import { CheckpointError } from './checkpoint-error.js';
import { compareFences, directoryName, requireSafeId } from './checkpoint-names.js';
import type { CheckpointName } from './checkpoint-names.js';
import { makeDirectory } from './durable-files.js';
import { listNames, removeCheckpoint, removeTemporary, writeCheckpoint } from './job-directory.js';
import { toRemove } from './retention.js';
import { sha256InTurns } from './sha256.js';
import {
  FILE_NAMES,
  MODEL_FILE,
  requireHash,
  splitSnapshot,
  toSnapshot,
} from './snapshot-format.js';
import { holds, readParts, readRecord, readVerified, recordOf } from './stored-checkpoint.js';
import type { CheckpointRecord } from './stored-checkpoint.js';
import { TurnQueue } from './turn-queue.js';

/** A checkpoint with a whole manifest. Its other files are verified when they are read. */
export interface CheckpointEntry extends CheckpointView {
  readonly attempt: number;
  readonly generation: number;
}

export interface LoadedCheckpoint {
  readonly entry: CheckpointEntry;
  readonly snapshot: Snapshot;
  /** What was passed over because it was damaged, newest first; each message names the file. */
  readonly damaged: readonly CheckpointError[];
}

/**
 * Checkpoints in `ROOT/JOB_ID/step-STEP-aATTEMPT-gGENERATION/`. A save writes a temporary directory,
 * waits until every file and the directory are on the disk, with the manifest last, and renames it:
 * a checkpoint exists whole or not at all, whenever the process or the machine dies. One process at
 * a time may have a root open.
 */
export class DirectoryCheckpoints {
  private readonly root: string;
  private readonly turns = new TurnQueue();
  private readonly fences = new Map<string, Pick<Fence, 'attempt' | 'generation'>>();

  private constructor(root: string) {
    this.root = resolve(root);
  }

  /** Creates the root if need be, and removes what saves that were cut off have left. */
  static async open(root: string): Promise<DirectoryCheckpoints> {
    const store = new DirectoryCheckpoints(root);
    await makeDirectory(store.root);
    for (const job of await readdir(store.root, { withFileTypes: true })) {
      if (job.isDirectory()) await removeTemporary(join(store.root, job.name));
    }
    return store;
  }

  /** From now on, saves of an earlier attempt or generation of this job are refused. */
  raiseFence({ jobId, ...fence }: Fence): void {
    const known = this.fences.get(jobId);
    if (known === undefined || compareFences(fence, known) > 0) this.fences.set(jobId, fence);
  }

  /**
   * Stores a snapshot as `encodeSnapshot` made it, then removes those that are not to be kept. To
   * save again what is stored already changes nothing.
   *
   * @param keep newest steps to keep, besides the best
   * @throws CheckpointError UNSAFE_ID, INVALID_SNAPSHOT, INVALID_SAFETENSORS or STALE_FENCE
   */
  async save(fence: Fence, bytes: Uint8Array, keep: number): Promise<CheckpointEntry> {
    const job = this.pathOf(fence.jobId);
    const parts = splitSnapshot(bytes);
    for (const name of FILE_NAMES) requireHash(parts, name, await sha256InTurns(parts.files[name]));
    return this.turns.run(fence.jobId, async () => {
      await this.requireCurrent(fence);
      const { attempt, generation } = fence;
      const name = { step: parts.manifest.position.step, attempt, generation };
      const record = recordOf(fence, parts.manifest);
      if (!(await holds(join(job, directoryName(name)), name, record))) {
        await writeCheckpoint(job, name, record, parts);
      }
      await prune(job, keep);
      return entryOf(job, name, record);
    });
  }

  /** Newest first, one for each step; without those whose manifest is damaged. */
  async list(jobId: string): Promise<CheckpointEntry[]> {
    const job = this.pathOf(jobId);
    const entries: CheckpointEntry[] = [];
    for (const name of await listNames(job)) {
      if (entries.at(-1)?.step === name.step) continue;
      const record = await readRecord(join(job, directoryName(name)), name).catch(passOver);
      if (!(record instanceof CheckpointError)) entries.push(entryOf(job, name, record));
    }
    const best = entries.find((entry) => entry.best);
    return entries.map((entry) => ({ ...entry, best: entry === best }));
  }

  /**
   * The newest checkpoint that is whole, at or before `step` when given; null when there is none. A
   * damaged one is passed over for the one before it, and told of.
   */
  async latest(jobId: string, step = Infinity): Promise<LoadedCheckpoint | null> {
    const job = this.pathOf(jobId);
    return this.turns.run(jobId, async () => {
      const damaged: CheckpointError[] = [];
      for (const name of await listNames(job)) {
        if (name.step > step) continue;
        const loaded = await load(job, name).catch(passOver);
        if (!(loaded instanceof CheckpointError)) return { ...loaded, damaged };
        damaged.push(loaded);
      }
      return null;
    });
  }

  /** Throws NOT_FOUND, or DAMAGED_CHECKPOINT naming the file. */
  async readSnapshot(jobId: string, step: number): Promise<Snapshot> {
    const job = this.pathOf(jobId);
    return this.turns.run(jobId, async () => (await load(job, await find(job, step))).snapshot);
  }

  /** The model's file, verified. Throws NOT_FOUND, or DAMAGED_CHECKPOINT naming the file. */
  async readModel(jobId: string, step: number): Promise<Uint8Array> {
    const job = this.pathOf(jobId);
    return this.turns.run(jobId, async () => {
      const name = await find(job, step);
      const directory = join(job, directoryName(name));
      const { snapshot } = await readRecord(directory, name);
      return readVerified(directory, MODEL_FILE, snapshot.files[MODEL_FILE]);
    });
  }

  /** Removes all checkpoints of a job. */
  async remove(jobId: string): Promise<void> {
    const job = this.pathOf(jobId);
    await this.turns.run(jobId, () => rm(job, { recursive: true, force: true }));
    this.fences.delete(jobId);
  }

  private async requireCurrent(fence: Fence): Promise<void> {
    const stored = await listNames(this.pathOf(fence.jobId));
    for (const known of [this.fences.get(fence.jobId), ...stored]) {
      if (known === undefined || compareFences(fence, known) >= 0) continue;
      throw new CheckpointError(
        'STALE_FENCE',
        `job ${fence.jobId}: a checkpoint of attempt ${fence.attempt}, generation ` +
          `${fence.generation}; expected at least ${known.attempt}, ${known.generation}`,
      );
    }
    this.raiseFence(fence);
  }

  private pathOf(jobId: string): string {
    requireSafeId(jobId);
    return join(this.root, jobId);
  }
}

async function prune(job: string, keep: number): Promise<void> {
  const stored = await Promise.all(
    (await listNames(job)).map(async (name) => {
      const record = await readRecord(join(job, directoryName(name)), name).catch(passOver);
      return { ...name, best: !(record instanceof CheckpointError) && record.best };
    }),
  );
  for (const name of toRemove(stored, keep)) await removeCheckpoint(job, name);
}

async function load(
  job: string,
  name: CheckpointName,
): Promise<Pick<LoadedCheckpoint, 'entry' | 'snapshot'>> {
  const directory = join(job, directoryName(name));
  const record = await readRecord(directory, name);
  const snapshot = toSnapshot(await readParts(directory, record));
  return { entry: entryOf(job, name, record), snapshot };
}

async function find(job: string, step: number): Promise<CheckpointName> {
  const name = (await listNames(job)).find((candidate) => candidate.step === step);
  if (name !== undefined) return name;
  throw new CheckpointError('NOT_FOUND', `${job} has no checkpoint of step ${step}`);
}

function entryOf(
  job: string,
  name: CheckpointName,
  { createdAt, best, snapshot }: CheckpointRecord,
): CheckpointEntry {
  const bytes = FILE_NAMES.reduce((sum, file) => sum + snapshot.files[file].bytes, 0);
  const { epoch } = snapshot.position;
  const modelSha256 = snapshot.files[MODEL_FILE].sha256;
  return {
    ...name,
    epoch,
    createdAt,
    bytes,
    modelSha256,
    best,
    path: join(job, directoryName(name)),
  };
}

/** Lets a damaged checkpoint be passed over; any other error is thrown on. */
function passOver(error: unknown): CheckpointError {
  if (error instanceof CheckpointError) return error;
  throw error;
}
