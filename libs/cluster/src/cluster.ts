import type { Fence, WorkerMessage } from '@skipring/protocol';
import { proveSteps } from './committed-steps.js';
import { enforceDeadlines } from './deadlines.js';
import { adopt } from './rejoin.js';
import { demandsOf, desiredWorkers } from './desired-workers.js';
import { halt, stopHalted } from './endings.js';
import { noteLoaded } from './loading.js';
import { connect, drain, drop, remove, stopped } from './membership.js';
import type { ClusterEffect, ClusterInput, QueuedJob } from './messages.js';
import { DEFAULT_CLUSTER_OPTIONS, type ClusterOptions } from './options.js';
import { grow, place } from './placement.js';
import { replaceStragglers } from './stragglers/relief.js';
import { sameFence, type ClusterState, type JobRun } from './state.js';
import { follow, isCurrentFence } from './training.js';
import { jobSnapshot, workerSnapshot, type JobSnapshot, type WorkerSnapshot } from './views.js';

type CheckpointMessage = Extract<WorkerMessage, { type: 'checkpoint' }>;
type WorkerInput = Extract<ClusterInput, { type: 'workerMessage' }>;

/**
 * The workers of a coordinator and the jobs that run on them, as a state machine: inputs in, effects
 * out. It does no I/O and reads no clock; the same inputs at the same times give the same effects.
 */
export class Cluster {
  private readonly state: ClusterState;

  /** @param newToken makes the secret of a generation's ring: at least 16 unguessable characters */
  constructor(newToken: () => string, options: Partial<ClusterOptions> = {}) {
    this.state = {
      options: { ...DEFAULT_CLUSTER_OPTIONS, ...options },
      newToken,
      workers: new Map(),
      jobs: new Map(),
      numQueued: 0,
      nowMs: 0,
      effects: [],
    };
  }

  /**
   * Applies one input. The effects are to be carried out in their order, before those of later
   * inputs.
   * @param nowMs of a monotonic clock
   */
  apply(input: ClusterInput, nowMs: number): ClusterEffect[] {
    const { state } = this;
    state.nowMs = Math.max(state.nowMs, nowMs);
    state.effects = [];
    this.dispatch(input);
    adopt(state);
    stopHalted(state);
    place(state);
    grow(state);
    replaceStragglers(state);
    return state.effects;
  }

  /** Whether a fence names the newest generation of a job that has not ended. */
  isCurrent(fence: Fence): boolean {
    return isCurrentFence(this.state, fence);
  }

  workers(): WorkerSnapshot[] {
    return [...this.state.workers.values()].map((worker) => workerSnapshot(this.state, worker));
  }

  job(jobId: string): JobSnapshot | null {
    const run = this.state.jobs.get(jobId);
    return run === undefined ? null : jobSnapshot(run);
  }

  jobIds(): string[] {
    return [...this.state.jobs.keys()];
  }

  /** How many workers an autoscaler should run, by number of threads. See `desiredWorkers`. */
  desiredWorkers(limit: number): ReadonlyMap<number, number> {
    return desiredWorkers(demandsOf(this.state.jobs.values()), limit);
  }

  private dispatch(input: ClusterInput): void {
    const { state } = this;
    switch (input.type) {
      case 'workerConnected':
        connect(state, input.hello);
        return;
      case 'workerMessage':
        this.receive(input);
        return;
      case 'workerDisconnected':
        remove(state, input.workerId, input.reason);
        return;
      case 'jobQueued':
        this.queue(input.job);
        return;
      case 'cancelRequested':
      case 'pauseRequested': {
        const run = state.jobs.get(input.jobId);
        const how = input.type === 'pauseRequested' ? 'pausing' : 'cancelling';
        if (run !== undefined) halt(state, run, how);
        return;
      }
      case 'drainRequested':
        drain(state, input.workerId, input.reason);
        return;
      case 'checkpointStored': {
        const run = state.jobs.get(input.fence.jobId);
        if (run?.job.attempt !== input.fence.attempt) return;
        run.checkpointStep = Math.max(run.checkpointStep ?? 0, input.step);
        proveSteps(state, run, run.checkpointStep);
        return;
      }
      case 'tick':
        enforceDeadlines(state);
        return;
    }
  }

  private queue(job: QueuedJob): void {
    const { state } = this;
    if (state.jobs.has(job.id)) return;
    state.numQueued += 1;
    const run: JobRun = {
      job,
      queuedMs: state.nowMs,
      order: state.numQueued,
      state: 'waiting',
      reason: '',
      fence: null,
      generation: null,
      trained: null,
      ranks: [],
      holders: new Set(),
      heldStep: 0,
      checkpointStep: job.checkpointStep,
      committedStep: 0,
      numBroken: 0,
      regroup: null,
      leaving: new Set(),
      laneMs: new Map(),
      benched: new Map(),
      nextReliefStep: 0,
    };
    state.jobs.set(job.id, run);
    if (job.halt !== null) halt(state, run, job.halt);
  }

  /** It may be of an earlier generation of the attempt. */
  private noteCheckpoint({ fence, step, result, reason }: CheckpointMessage): void {
    const { jobId, attempt } = fence;
    if (result !== 'failed' || this.state.jobs.get(jobId)?.job.attempt !== attempt) return;
    this.state.effects.push({ type: 'checkpointFailed', jobId, step, reason });
  }

  private receive({ workerId, message }: WorkerInput): void {
    const { state } = this;
    const worker = state.workers.get(workerId);
    if (worker === undefined) return;
    worker.lastHeartbeatMs = state.nowMs;
    switch (message.type) {
      case 'heartbeat':
        if (message.incomingLink !== undefined) {
          const { from, bytesPerSecond } = message.incomingLink;
          if (state.workers.has(from)) worker.links.set(from, bytesPerSecond);
        }
        if (message.computeSilentMs <= state.options.computeSilenceLimitMs) return;
        drop(
          state,
          workerId,
          `its compute thread is silent for ${Math.round(message.computeSilentMs)} ms`,
        );
        return;
      case 'leave':
        drain(state, workerId, message.reason, message.graceMs);
        return;
      case 'faultFired':
        return;
      case 'stopped':
        if (sameFence(worker.stopping?.fence ?? null, message.fence)) stopped(state, worker);
        return;
      case 'loaded':
        noteLoaded(state, worker, message);
        return;
      case 'checkpoint':
        this.noteCheckpoint(message);
        return;
      case 'ready':
      case 'aborted':
      case 'step':
      case 'layers':
      case 'notice':
      case 'evaluation':
      case 'finished':
        follow(state, workerId, message);
        return;
    }
  }
}
