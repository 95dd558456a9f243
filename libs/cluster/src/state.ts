import type { AttemptState, Fence, Member } from '@skipring/protocol';
import type { ClusterEffect, Halt, Hello, QueuedJob, StepReport } from './messages.js';
import type { ClusterOptions } from './options.js';
import type { ReadyState } from './start-position.js';
import type { StepWatch } from './stragglers/watch.js';

/** A connected worker. */
export interface WorkerRecord {
  readonly id: string;
  readonly hello: Hello;
  readonly connectedMs: number;
  lastHeartbeatMs: number;
  /** State that it said to have kept from before this connection; null once that is no longer so. */
  held: Hello['held'];
  /** Gets no more work; gone at this time, in ms of the cluster's clock, released or not. */
  leavesAtMs: number | null;
  /** Gets no more work. */
  draining: boolean;
  /** It was told to exit. */
  released: boolean;
  /** The job that it belongs to: as a member, or held with its state while the job waits. */
  jobId: string | null;
  /** The job that it was told to load ahead of joining it. */
  loading: { readonly fence: Fence; state: 'asked' | 'loaded' | 'failed' } | null;
  /** A `stop` that it has not answered yet. */
  stopping: { readonly fence: Fence; readonly deadlineMs: number } | null;
  /** Bytes per second that it was last seen to receive, by the sending worker. */
  readonly links: Map<string, number>;
}

export interface Generation {
  readonly fence: Fence;
  /** By rank. */
  readonly members: readonly Member[];
  /** When its phase began. */
  phaseSinceMs: number;
  readonly reason: string;
  /** The checkpoint that its members were told of. */
  readonly checkpointStep: number | null;
  phase: 'preparing' | 'running';
  readonly ready: Map<number, ReadyState>;
  /** SHA-256 of the model, by rank. */
  readonly finished: Map<number, string>;
  /** Ranks lost or aborted after rank 0 had finished: the model is stored, they are not needed. */
  readonly absent: Set<number>;
  finishDeadlineMs: number;
  /** An abort was counted; the next generation begins at `JobRun.regroupAtMs`. */
  broken: boolean;
  /** State hashes by step, then rank; few steps at a time. */
  readonly hashes: Map<number, Map<number, string>>;
  watch: StepWatch;
  /** Slow members of which it was told why they are left alone. */
  readonly explained: Set<string>;
}

/** A generation whose steps count, until the next one starts. */
export interface Trained {
  readonly fence: Fence;
  /** Worker ids by rank. */
  readonly ranks: readonly string[];
  /** Reports of rank 0 that came late, of which it is not known yet whether their steps last. */
  readonly unproven: StepReport[];
}

/** A job's attempt in the cluster. */
export interface JobRun {
  readonly job: QueuedJob;
  readonly queuedMs: number;
  /** First come, first served among equal priorities. */
  readonly order: number;
  state: AttemptState;
  reason: string;
  /** Of the newest generation, also while the job waits; null before the first. */
  fence: Fence | null;
  generation: Generation | null;
  /** The newest generation that has trained; null before the first. */
  trained: Trained | null;
  /** Worker ids by rank in the newest generation, also while the job waits. */
  ranks: readonly string[];
  /** Workers known to hold the newest state, which is that of `heldStep`; the others may be behind it. */
  readonly holders: Set<string>;
  heldStep: number;
  /** Newest stored checkpoint. */
  checkpointStep: number | null;
  committedStep: number;
  /** Broken generations since the last committed step. */
  numBroken: number;
  regroup: { readonly atMs: number; readonly reason: string } | null;
  /** Workers whose `stopped` the job waits for: one of them stores a checkpoint. */
  readonly leaving: Set<string>;
  /** Milliseconds that a worker was last seen to need for a lane of this job. */
  readonly laneMs: Map<string, number>;
  /** Workers that were replaced, and the step until which they are not taken back. */
  readonly benched: Map<string, number>;
  /** No change on account of a slow worker before this step. */
  nextReliefStep: number;
}

/** All that the cluster knows; changed by its functions only, which add to `effects`. */
export interface ClusterState {
  readonly options: ClusterOptions;
  readonly newToken: () => string;
  readonly workers: Map<string, WorkerRecord>;
  readonly jobs: Map<string, JobRun>;
  numQueued: number;
  nowMs: number;
  effects: ClusterEffect[];
}

export function sameFence(a: Fence | null, b: Fence | null): boolean {
  return (
    a !== null &&
    b !== null &&
    a.jobId === b.jobId &&
    a.attempt === b.attempt &&
    a.generation === b.generation
  );
}

export function sameAttempt(a: Fence | null, b: Fence | null): boolean {
  return a !== null && b !== null && a.jobId === b.jobId && a.attempt === b.attempt;
}

/** Connected, without a job and ready for one. */
export function isIdle(worker: WorkerRecord): boolean {
  return worker.jobId === null && worker.stopping === null && !worker.draining;
}

/** Whether a job is being cancelled or paused. */
export function isHalting(run: JobRun): run is JobRun & { state: Halt } {
  return run.state === 'cancelling' || run.state === 'pausing';
}

/** Changes a job's state or reason; tells only of a change. */
export function setJobState(
  state: ClusterState,
  run: JobRun,
  next: JobRun['state'],
  reason: string,
): void {
  if (run.state === next && run.reason === reason) return;
  run.state = next;
  run.reason = reason;
  state.effects.push({ type: 'jobState', jobId: run.job.id, state: next, reason });
}

/** Jobs that want workers, in the order in which they get them. */
export function waitingRuns(state: ClusterState): JobRun[] {
  return [...state.jobs.values()].filter((run) => run.state === 'waiting').sort(priorityOrder);
}

/** Highest priority first, then first come, first served. */
export function priorityOrder(a: JobRun, b: JobRun): number {
  return b.job.spec.priority - a.job.spec.priority || a.order - b.order;
}
