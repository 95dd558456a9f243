import type { CheckpointView, Fence } from '@skipring/protocol';
import type { Snapshot, TensorMap } from '@skipring/trainer';
import { CheckpointError } from './checkpoint-error.js';
import { compareFences, requireSafeId } from './checkpoint-names.js';
import { toRemove } from './retention.js';
import type { RetentionPolicy } from './retention.js';
import { decodeSafetensors } from './safetensors.js';
import { sha256InTurns } from './sha256.js';
import {
  FILE_NAMES,
  MODEL_FILE,
  requireHash,
  splitSnapshot,
  toSnapshot,
} from './snapshot-format.js';
import type { CheckpointStorage } from './storage.js';
import { filesOf, recordOf, StoredCheckpoint } from './stored-checkpoint.js';
import type { CheckpointRecord } from './stored-checkpoint.js';
import { TurnQueue } from './turn-queue.js';

/** A checkpoint with a whole manifest. Its other files are verified when they are read. */
export interface CheckpointEntry extends CheckpointView {
  readonly attempt: number;
  readonly generation: number;
}

/** A search for the newest checkpoint that is whole. */
export interface Found<T> {
  readonly newest: (T & { readonly entry: CheckpointEntry }) | null;
  /** What was passed over because it was damaged, newest first; each message names the file. */
  readonly damaged: readonly CheckpointError[];
}

/** Jobs whose fence is remembered: the newest. What is stored of any job has its fence with it. */
const MAX_FENCES = 4_096;

/**
 * The checkpoints of all jobs, in a storage of either kind. A save is whole or nothing, by the
 * current attempt and generation or by none, and what is read is verified first.
 */
export class Checkpoints {
  private readonly turns = new TurnQueue();
  private readonly fences = new Map<string, Pick<Fence, 'attempt' | 'generation'>>();

  private constructor(private readonly storage: CheckpointStorage) {}

  /** Removes what saves that were cut off have left. */
  static async open(storage: CheckpointStorage): Promise<Checkpoints> {
    await storage.cleanUp();
    return new Checkpoints(storage);
  }

  close(): void {
    this.storage.close();
  }

  /** From now on, saves of an earlier attempt or generation of this job are refused. */
  raiseFence({ jobId, ...fence }: Fence): void {
    const known = this.fences.get(jobId);
    if (known !== undefined && compareFences(fence, known) <= 0) return;
    this.fences.delete(jobId);
    this.fences.set(jobId, fence);
    const [oldest] = this.fences.keys();
    if (this.fences.size > MAX_FENCES && oldest !== undefined) this.fences.delete(oldest);
  }

  /**
   * Stores a snapshot as `encodeSnapshot` made it, then removes those that are not to be kept. To
   * save again what is stored already changes nothing.
   *
   * @throws CheckpointError UNSAFE_ID, INVALID_SNAPSHOT, INVALID_SAFETENSORS, STALE_FENCE,
   *   STORAGE_FULL or STORAGE_FAILED
   */
  async save(fence: Fence, bytes: Uint8Array, policy: RetentionPolicy): Promise<CheckpointEntry> {
    const { jobId, attempt, generation } = fence;
    requireSafeId(jobId);
    const parts = splitSnapshot(bytes);
    for (const name of FILE_NAMES) requireHash(parts, name, await sha256InTurns(parts.files[name]));
    return this.turns.run(jobId, async () => {
      await this.requireCurrent(fence);
      const name = { step: parts.manifest.position.step, attempt, generation };
      const record = recordOf(fence, parts.manifest);
      const stored = new StoredCheckpoint(this.storage, jobId, name);
      if (!(await stored.holds(record))) {
        await this.storage.write(jobId, name, filesOf(record, parts));
      }
      await this.prune(jobId, policy);
      return entryOf(stored, record);
    });
  }

  /** Newest first, one for each step; without those whose manifest is damaged. */
  async list(jobId: string): Promise<CheckpointEntry[]> {
    const entries: CheckpointEntry[] = [];
    for (const stored of await this.storedOf(jobId)) {
      if (entries.at(-1)?.step === stored.name.step) continue;
      const record = await stored.record().catch(passOver);
      if (!(record instanceof CheckpointError)) entries.push(entryOf(stored, record));
    }
    const best = entries.find((entry) => entry.best);
    return entries.map((entry) => ({ ...entry, best: entry === best }));
  }

  /**
   * The newest checkpoint that is whole, at or before `step` when given. A damaged one is passed over
   * for the one before it, and told of.
   */
  latest(jobId: string, step = Infinity): Promise<Found<{ readonly snapshot: Snapshot }>> {
    return this.search(jobId, step, async (stored, record) => ({
      snapshot: toSnapshot(await stored.parts(record)),
    }));
  }

  /**
   * Parameters and moving statistics, without optimizer slots, of the newest checkpoint whose model is
   * whole, at or before `step` when given. The optimizer's file is not looked at: it may be damaged.
   */
  readWeights(jobId: string, step = Infinity): Promise<Found<{ readonly weights: TensorMap }>> {
    return this.search(jobId, step, async (stored, { snapshot }) => ({
      weights: decodeSafetensors(await stored.file(snapshot, MODEL_FILE)),
    }));
  }

  /** Throws NOT_FOUND, or DAMAGED_CHECKPOINT naming the file. */
  async readSnapshot(jobId: string, step: number): Promise<Snapshot> {
    return this.turns.run(jobId, async () => {
      const stored = await this.find(jobId, step);
      return toSnapshot(await stored.parts(await stored.record()));
    });
  }

  /** The model's file, verified. Throws NOT_FOUND, or DAMAGED_CHECKPOINT naming the file. */
  async readModel(jobId: string, step: number): Promise<Uint8Array> {
    return this.turns.run(jobId, async () => {
      const stored = await this.find(jobId, step);
      return stored.file((await stored.record()).snapshot, MODEL_FILE);
    });
  }

  /** Removes all checkpoints of a job that has ended; a save that is still under way is refused. */
  async remove(jobId: string): Promise<void> {
    requireSafeId(jobId);
    this.raiseFence({ jobId, attempt: Infinity, generation: Infinity });
    await this.turns.run(jobId, () => this.storage.removeAll(jobId));
  }

  private async search<T>(
    jobId: string,
    step: number,
    load: (stored: StoredCheckpoint, record: CheckpointRecord) => Promise<T>,
  ): Promise<Found<T>> {
    requireSafeId(jobId);
    return this.turns.run(jobId, async () => {
      const damaged: CheckpointError[] = [];
      for (const stored of await this.storedOf(jobId)) {
        if (stored.name.step > step) continue;
        try {
          const record = await stored.record();
          const newest = { ...(await load(stored, record)), entry: entryOf(stored, record) };
          return { newest, damaged };
        } catch (error) {
          damaged.push(passOver(error));
        }
      }
      return { newest: null, damaged };
    });
  }

  private async requireCurrent(fence: Fence): Promise<void> {
    const stored = await this.storage.list(fence.jobId);
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

  private async prune(jobId: string, policy: RetentionPolicy): Promise<void> {
    const retained = await Promise.all(
      (await this.storedOf(jobId)).map(async (stored) => {
        const record = await stored.record().catch(passOver);
        if (record instanceof CheckpointError)
          return { ...stored.name, best: false, position: null };
        return { ...stored.name, best: record.best, position: record.snapshot.position };
      }),
    );
    for (const name of toRemove(retained, policy)) await this.storage.remove(jobId, name);
  }

  private async storedOf(jobId: string): Promise<StoredCheckpoint[]> {
    requireSafeId(jobId);
    const names = await this.storage.list(jobId);
    return names.map((name) => new StoredCheckpoint(this.storage, jobId, name));
  }

  private async find(jobId: string, step: number): Promise<StoredCheckpoint> {
    const found = (await this.storedOf(jobId)).find(({ name }) => name.step === step);
    if (found !== undefined) return found;
    throw new CheckpointError('NOT_FOUND', `job ${jobId} has no checkpoint of step ${step}`);
  }
}

function entryOf(
  { name, path }: StoredCheckpoint,
  { createdAt, best, snapshot }: CheckpointRecord,
): CheckpointEntry {
  const bytes = FILE_NAMES.reduce((sum, file) => sum + snapshot.files[file].bytes, 0);
  const { epoch } = snapshot.position;
  const modelSha256 = snapshot.files[MODEL_FILE].sha256;
  return { ...name, epoch, createdAt, bytes, modelSha256, best, path };
}

/** Lets a damaged checkpoint be passed over; any other error is thrown on. */
function passOver(error: unknown): CheckpointError {
  if (error instanceof CheckpointError && error.code !== 'STORAGE_FAILED') return error;
  throw error;
}
