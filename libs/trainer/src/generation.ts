import type { JobSpec } from '@skipring/protocol';
import type {
  BatchSource,
  CheckpointStore,
  Clock,
  Collective,
  PhaseHook,
  Reporter,
} from './ports.js';
import type { TrainingState } from './state.js';

/** What a rank needs to train through one generation. */
export interface GenerationOptions {
  /** Equal on all ranks: see `synchroniseState`. */
  readonly state: TrainingState;
  readonly spec: JobSpec;
  /** Samples of the training split. */
  readonly numSamples: number;
  readonly numClasses: number;
  readonly collective: Collective;
  readonly batches: BatchSource;
  /** Called on rank 0 alone. */
  readonly checkpoints: CheckpointStore;
  readonly report: Reporter;
  /** Lanes that this rank computes. The ranks' lanes together are 0 ... lanes.count - 1, each once. */
  readonly lanes: readonly number[];
  /** Learning rate of the step that starts after so many committed ones. */
  readonly schedule: (step: number) => number;
  /** How long an operation may wait for the slowest peer: several times the slowest rank's step. */
  readonly deadlineMs: number;
  /** Fired to leave before the next step; closing the ring as well ends a wait for peers. */
  readonly signal: AbortSignal;
  /** Steps between comparisons of the replicas' state; besides those at epoch ends. */
  readonly hashEverySteps?: number;
  /** Whether the ring begins with what is computed while the rest is; default true. Decides no bit. */
  readonly overlaps?: boolean;
  readonly clock?: Clock;
  readonly onPhase?: PhaseHook;
}

/** The same, with every default filled in, and what lives as long as the generation. */
export interface Generation extends Required<GenerationOptions> {
  /** What lanes are added into and the ring sums, shape [layout.length], in shared memory. */
  readonly vector: Int32Array | Float32Array;
  readonly totalSteps: number;
}
