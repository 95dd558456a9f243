import type { Halt } from '@skipring/cluster';
import type {
  CoordinatorMessage,
  DataSetManifest,
  Fence,
  WorkerMessage,
  WorkerView,
} from '@skipring/protocol';
import type { ChangeResult, JobChange, JobHistories, JobIndex, JobRecord } from '@skipring/redis';

/** What the scheduler needs of the run store. Every call may throw while the store is away. */
export interface JobStore {
  get(id: string): Promise<JobRecord | null>;
  change(id: string, change: JobChange): Promise<ChangeResult>;
  /** Each number is given once, ever. */
  nextAttempt(id: string): Promise<number>;
  readonly index: Pick<JobIndex, 'idsIn'>;
  readonly histories: Pick<JobHistories, 'addLayers' | 'ledger'>;
}

/** Puts a job (in state `pending`) into the queue again; its turn ends in `Scheduler.enqueue`. */
export interface JobQueue {
  requeue(jobId: string, delayMs: number): Promise<void>;
}

/** Stored checkpoints, as far as the scheduler is concerned. */
export interface CheckpointIndex {
  /** The newest checkpoint of a job that is whole, and what was passed over because it was not. */
  latest(jobId: string): Promise<LatestCheckpoint>;
  /** From now on, checkpoints of earlier attempts or generations are refused. */
  raiseFence(fence: Fence): void;
}

export interface LatestCheckpoint {
  /** Null when there is none. */
  readonly step: number | null;
  /** For people; each names a damaged file. */
  readonly damaged: readonly string[];
}

export interface ReadyDataSets {
  /** The prepared data set of this name, else null. */
  ready(
    name: string,
  ): Promise<{ readonly hash: string; readonly manifest: DataSetManifest } | null>;
}

export type HaltResult =
  /** It had not begun and is cancelled or paused now. */
  | 'cancelled'
  | 'paused'
  /** Its workers store a checkpoint and stop; the state becomes `cancelled` or `paused` after that. */
  | Halt
  /** It has ended, or is being cancelled and can't be paused. */
  | 'refused'
  | 'missing';

export interface StoredCheckpoint {
  readonly step: number;
  readonly bytes: number;
  readonly modelSha256: string;
  readonly best: boolean;
}

/** What the rest of the coordinator asks of the scheduler. */
export interface Scheduler {
  /** Takes a pending job over from the queue. Calling it again for the same job changes nothing. */
  enqueue(jobId: string): Promise<void>;
  cancel(jobId: string): Promise<HaltResult>;
  /** As a cancel, but the job can go on later; of a paused job nothing changes. */
  pause(jobId: string): Promise<HaltResult>;
  /** The worker finishes nothing more and is told to exit; false when it is not connected. */
  drain(workerId: string): boolean;
  /** Whether a fence names the generation that now runs: only its members may store checkpoints. */
  isCurrent(fence: Fence): boolean;
  /** To be called when a checkpoint is whole on disk: later members start from it. */
  checkpointStored(fence: Fence, checkpoint: StoredCheckpoint): void;
  workers(): WorkerView[];
  /** How many workers an autoscaler should run, by their number of threads. */
  desiredWorkers(): ReadonlyMap<number, number>;
  /** The part of a running job's view that changes live. */
  liveJob(jobId: string): LiveJob | null;
}

export interface LiveJob {
  readonly generation: number;
  /** Worker ids by rank. */
  readonly workers: readonly string[];
  /** Why the job is in its state, now. */
  readonly reason: string;
  /** Smoothed. */
  readonly imagesPerSecond: number;
  readonly etaMs: number | null;
}

/** A worker's connection. */
export interface WorkerLink {
  send(message: CoordinatorMessage): void;
  close(reason: string): void;
}

/** What the gateway tells of its connections. */
export interface WorkerEvents {
  /** A worker's newest connection counts; an older one is closed. */
  workerConnected(hello: Extract<WorkerMessage, { type: 'hello' }>, link: WorkerLink): void;
  workerMessage(
    workerId: string,
    link: WorkerLink,
    message: Exclude<WorkerMessage, { type: 'hello' }>,
  ): void;
  workerDisconnected(workerId: string, link: WorkerLink, reason: string): void;
}
