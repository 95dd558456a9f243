import type { CheckpointName } from './checkpoint-names.js';

/** Files of a checkpoint by name, in the order in which they are written: the manifest is last. */
export type CheckpointFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Where checkpoints lie. A checkpoint exists whole or not at all, whenever the writer dies. One
 * process at a time writes below a root; operations on one job come one after the other.
 */
export interface CheckpointStorage {
  /** Removes what writers that were cut off have left. To be called once, before all else. */
  cleanUp(): Promise<void>;
  /** A job's checkpoints, newest first; none for an unknown job. */
  list(jobId: string): Promise<CheckpointName[]>;
  /**
   * Resolves when all files are durable. A checkpoint of the same name gives way.
   * @throws CheckpointError STORAGE_FULL or STORAGE_FAILED, with nothing left behind
   */
  write(jobId: string, name: CheckpointName, files: CheckpointFiles): Promise<void>;
  /** @throws CheckpointError DAMAGED_CHECKPOINT naming a file that is missing or can't be read */
  read(jobId: string, name: CheckpointName, file: string): Promise<Uint8Array>;
  /** Removes a checkpoint, if there is one, so that no part of it is ever seen as a checkpoint. */
  remove(jobId: string, name: CheckpointName): Promise<void>;
  removeAll(jobId: string): Promise<void>;
  /** Where a checkpoint or one of its files lies, for people. */
  locate(jobId: string, name: CheckpointName, file?: string): string;
  close(): void;
}
