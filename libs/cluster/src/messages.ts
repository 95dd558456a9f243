import type {
  AttemptState,
  CoordinatorMessage,
  EvaluationResult,
  Fence,
  JobSpec,
  Layer,
  LayerStatistics,
  StepMetrics,
  StepParts,
  Straggler,
  WorkerMessage,
} from '@skipring/protocol';

export type Hello = Extract<WorkerMessage, { type: 'hello' }>;
export type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;
/** A rank's report of a step that it has applied. */
export type StepReport = Extract<WorkerMessage, { type: 'step' }>;

/** How a user stops a job before its end. */
export type Halt = 'cancelling' | 'pausing';

/** One attempt of a job, ready to be placed. */
export interface QueuedJob {
  readonly id: string;
  readonly spec: JobSpec;
  readonly attempt: number;
  /** Newest stored checkpoint; null: begin from the seed. */
  readonly checkpointStep: number | null;
  readonly dataSet: Prepare['dataSet'];
  /** Workers that may come back with the job's state, and are waited for a while. */
  readonly expected: readonly string[] | 'unknown';
  /** It was being halted when the coordinator stopped: it only waits for those, to store the state. */
  readonly halt: Halt | null;
}

/** What happens to the cluster. */
export type ClusterInput =
  | { readonly type: 'workerConnected'; readonly hello: Hello }
  | {
      readonly type: 'workerMessage';
      readonly workerId: string;
      readonly message: Exclude<WorkerMessage, Hello>;
    }
  | { readonly type: 'workerDisconnected'; readonly workerId: string; readonly reason: string }
  | { readonly type: 'jobQueued'; readonly job: QueuedJob }
  | { readonly type: 'cancelRequested' | 'pauseRequested'; readonly jobId: string }
  | { readonly type: 'drainRequested'; readonly workerId: string; readonly reason: string }
  | { readonly type: 'checkpointStored'; readonly fence: Fence; readonly step: number }
  | { readonly type: 'tick' };

/** What the owner of the cluster must do, in order. */
export type ClusterEffect =
  | { readonly type: 'send'; readonly workerId: string; readonly message: CoordinatorMessage }
  /** The worker is dead to the cluster: close its connection. */
  | { readonly type: 'disconnect'; readonly workerId: string; readonly reason: string }
  | {
      readonly type: 'jobState';
      readonly jobId: string;
      readonly state: AttemptState;
      readonly reason: string;
    }
  | {
      readonly type: 'generationStarted';
      readonly fence: Fence;
      readonly workers: readonly string[];
      readonly step: number;
      readonly reason: string;
    }
  | { readonly type: 'stepCommitted'; readonly fence: Fence; readonly metrics: StepMetrics }
  | {
      readonly type: 'rankStep';
      readonly jobId: string;
      readonly rank: number;
      readonly workerId: string;
      readonly parts: StepParts;
      readonly ringBytes: number;
      readonly samples: number;
    }
  /** A member has become slow, or is so no longer. */
  | {
      readonly type: 'stragglerSeen';
      readonly fence: Fence;
      readonly state: 'slow' | 'recovered';
      readonly straggler: Straggler;
    }
  | { readonly type: 'noticeGiven'; readonly jobId: string; readonly message: string }
  | {
      readonly type: 'layersProbed';
      readonly fence: Fence;
      readonly layers: readonly Layer[];
      readonly statistics: LayerStatistics;
    }
  | { readonly type: 'evaluationDone'; readonly fence: Fence; readonly result: EvaluationResult }
  | { readonly type: 'hashesCompared'; readonly jobId: string; readonly agreed: boolean }
  | { readonly type: 'memberLost'; readonly jobId: string; readonly workerId: string }
  /** A worker that was to join a running job can't load it. */
  | {
      readonly type: 'loadFailed';
      readonly jobId: string;
      readonly workerId: string;
      readonly reason: string;
    }
  /** A checkpoint that was due could not be stored; training goes on. */
  | {
      readonly type: 'checkpointFailed';
      readonly jobId: string;
      readonly step: number;
      readonly reason: string;
    }
  /** The ends of an attempt; the cluster has forgotten the job. */
  | {
      readonly type: 'attemptFailed';
      readonly jobId: string;
      readonly attempt: number;
      readonly reason: string;
      readonly retryable: boolean;
    }
  | {
      readonly type: 'jobFinished';
      readonly jobId: string;
      readonly attempt: number;
      readonly modelSha256: string;
    }
  | { readonly type: 'jobCancelled'; readonly jobId: string; readonly attempt: number }
  | { readonly type: 'jobPaused'; readonly jobId: string; readonly attempt: number };
