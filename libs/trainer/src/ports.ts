import type {
  EvaluationResult,
  Layer,
  LayerStatistics,
  StepMetrics,
  StepParts,
} from '@skipring/protocol';
import type { LaneBatch } from './engine.js';
import type { Snapshot } from './state.js';

/**
 * The collectives of one generation. Every rank calls the same operations in the same order. The
 * first error (a lost peer, a passed deadline) is latched: the operation in progress and all later
 * ones reject with it, and the caller needs a new generation.
 */
export interface Collective {
  readonly rank: number;
  readonly worldSize: number;
  /** Payload bytes that this rank has sent in this generation. */
  readonly bytesSent: number;
  /** Milliseconds of this generation in which an operation of this rank was under way. */
  readonly busyMs: number;
  /**
   * Sums `vector` over all ranks, in place and with the same bits on every rank; int32 sums wrap.
   * `vector` lies in a SharedArrayBuffer and has the same length on every rank. After a rejection
   * its contents are undefined. Operations on other vectors may be under way at the same time.
   *
   * @param wire of a float32 vector: `bfloat16` rounds what is sent, for half the bytes
   */
  allReduce(
    vector: Int32Array | Float32Array,
    deadlineMs: number,
    wire?: 'bfloat16',
  ): Promise<void>;
  /** Copies the root's `bytes` into those of every rank; same length everywhere, shared memory. */
  broadcast(bytes: Uint8Array, root: number, deadlineMs: number): Promise<void>;
}

/** Batches of this rank's lanes, made ahead of need. */
export interface BatchSource {
  /**
   * Goes to a step, also one before; `next` then yields this and the following steps, also past
   * epoch ends.
   */
  seek(position: { epoch: number; stepInEpoch: number }, lanes: readonly number[]): void;
  /**
   * The lane's batch of its next step: lanes in the order given to `seek`, step after step, one call
   * at a time. Its arrays stay valid until the next call; it has 0 samples where a short last step
   * leaves the lane empty.
   */
  next(lane: number): Promise<LaneBatch>;
  /** Batches that the test split is cut into; the same on every rank. */
  readonly numEvaluationBatches: number;
  /** Samples of each of them, in their stored order; the last may have fewer. */
  readonly evaluationBatchSize: number;
  evaluation(index: number): LaneBatch | Promise<LaneBatch>;
}

/** A state to be stored, and how long training was held for it. Whoever stores it owns its tensors. */
export interface DueCheckpoint {
  readonly snapshot: Snapshot;
  readonly heldMs: number;
}

/** Where rank 0 stores checkpoints. */
export interface CheckpointStore {
  /** Stores it beside training; what becomes of it is no matter of training. Never throws or blocks. */
  submit(due: DueCheckpoint): void;
  /** Stores the job's last one, in place of any that is still under way. Resolves when it is durable. */
  save(due: DueCheckpoint): Promise<{ modelSha256: string }>;
}

/** Where a rank stands; `reduce` is the all-reduce of the gradient. */
export type Phase =
  'dataFetch' | 'compute' | 'reduce' | 'vote' | 'apply' | 'evaluation' | 'checkpoint';

/**
 * Told when a rank comes to a phase: of the step under way, or behind a step, of the last committed
 * one. For faults on purpose: training goes on when it resolves.
 */
export type PhaseHook = (phase: Phase, step: number) => Promise<void> | void;

/** A committed step as each rank saw it. */
export interface StepReport {
  readonly step: number;
  readonly parts: StepParts;
  /** Milliseconds that the ring worked while this rank computed: those that `ringMs` has not. */
  readonly ringHiddenMs: number;
  readonly ringBytes: number;
  /** Samples that this rank computed. */
  readonly samples: number;
  /** Times that the step was repeated with smaller exponents. */
  readonly numRepeats: number;
  /** Global results; rank 0 alone. */
  readonly metrics: StepMetrics | null;
}

/** What training tells its surroundings. Calls must not throw or block. */
export interface Reporter {
  step(report: StepReport): void;
  /** All ranks hold this hash at this step. */
  stateHash(step: number, stateHash: string): void;
  /** The rank that owns lane 0 alone. */
  layers(layers: readonly Layer[], statistics: LayerStatistics): void;
  /** Rank 0 alone. */
  evaluation(result: EvaluationResult): void;
}

export interface Clock {
  /** Milliseconds from an arbitrary origin, never going back. */
  now(): number;
  /** Lets pending I/O and messages of this thread be handled, after a call that blocked it. */
  turn(): Promise<void>;
}
