import {
  stragglerParts,
  type EvaluationResult,
  type Fence,
  type StepMetrics,
  type StepParts,
  type StragglerPart,
} from '@skipring/protocol';
import { Registry } from 'prom-client';
import { clusterMetrics, jobMetrics, peerMetrics } from './definitions.js';
import { createInstruments, type Instruments } from './instruments.js';
import { addProcessMetrics } from './process-metrics.js';
import { removeSeries } from './series.js';
import { partSeconds } from './step-parts.js';

/** How many there are of each; a state left out counts as none. */
export type Counts = Readonly<Record<string, number>>;

/** What a scrape asks for, so that gauges of the whole cluster are never stale. */
export interface ClusterCounts {
  readonly jobs: Counts;
  readonly workers: Counts;
  /** By queue, then state. */
  readonly queues: Readonly<Record<string, Counts>>;
}

const ATTEMPT_STATES = ['waiting', 'running', 'pausing', 'cancelling'] as const;
type AttemptState = (typeof ATTEMPT_STATES)[number];

const UPLOAD_RESULTS = ['stored', 'refused', 'failed'] as const;
export type CheckpointUploadResult = (typeof UPLOAD_RESULTS)[number];

/** The metrics of the coordinator. Calls are cheap, never throw and never block. */
export class CoordinatorMetrics {
  readonly registry = new Registry();
  private readonly jobs: Instruments<typeof jobMetrics>;
  private readonly peers: Instruments<typeof peerMetrics>;
  private readonly cluster: Instruments<typeof clusterMetrics>;

  constructor() {
    this.jobs = createInstruments(jobMetrics, this.registry);
    this.peers = createInstruments(peerMetrics, this.registry);
    this.cluster = createInstruments(clusterMetrics, this.registry);
    addProcessMetrics(this.registry);
    // A counter that begins with its first failure would hide that failure from `increase`.
    for (const result of UPLOAD_RESULTS) this.cluster.checkpointUploads.inc({ result }, 0);
    this.setDesiredWorkers(new Map());
  }

  /** An attempt begins. @param checkpointStep of the newest stored checkpoint; null for none */
  beginAttempt(
    jobId: string,
    plan: { totalSteps: number; checkpointInterval: number; checkpointStep: number | null },
  ): void {
    const labels = { job_id: jobId };
    this.jobs.totalSteps.set(labels, plan.totalSteps);
    this.jobs.checkpointInterval.set(labels, plan.checkpointInterval);
    this.jobs.checkpointStep.set(labels, plan.checkpointStep ?? 0);
    this.observeJobState(jobId, 'waiting');
    // Counters that begin with their first incident would hide it from `increase`.
    this.jobs.lostMembers.inc(labels, 0);
    for (const result of ['agreed', 'diverged']) {
      this.jobs.hashChecks.inc({ ...labels, result }, 0);
    }
    for (const part of stragglerParts) this.jobs.stragglersSeen.inc({ ...labels, part }, 0);
    this.jobs.stragglers.set(labels, 0);
  }

  observeJobState(jobId: string, current: AttemptState): void {
    for (const state of ATTEMPT_STATES) {
      this.jobs.state.set({ job_id: jobId, state }, state === current ? 1 : 0);
    }
  }

  /** The attempt has ended: it is in no state. */
  endAttempt(jobId: string): void {
    for (const state of ATTEMPT_STATES) this.jobs.state.set({ job_id: jobId, state }, 0);
    this.jobs.worldSize.set({ job_id: jobId }, 0);
    this.jobs.stragglers.set({ job_id: jobId }, 0);
    this.jobs.imagesPerSecond.set({ job_id: jobId }, 0);
  }

  /** @param seconds from when the job might have started until it got workers */
  observeQueueWait(seconds: number): void {
    this.cluster.queueWait.observe(seconds);
  }

  /** A checkpoint is whole on disk. */
  observeCheckpoint(jobId: string, step: number): void {
    this.jobs.checkpointStep.set({ job_id: jobId }, step);
  }

  countDamagedCheckpoint(): void {
    this.cluster.damagedCheckpoints.inc();
  }

  countCheckpointUpload(result: CheckpointUploadResult): void {
    this.cluster.checkpointUploads.inc({ result });
  }

  /** A committed step with its results over all lanes; from rank 0. */
  observeStep(jobId: string, metrics: StepMetrics): void {
    const labels = { job_id: jobId };
    const { jobs } = this;
    jobs.step.set(labels, metrics.step);
    jobs.epoch.set(labels, metrics.epoch);
    jobs.skippedSteps.inc(labels, metrics.skipped === undefined ? 0 : 1);
    jobs.loss.set({ ...labels, split: 'train' }, metrics.loss);
    jobs.accuracy.set({ ...labels, split: 'train' }, metrics.accuracy);
    jobs.learningRate.set(labels, metrics.learningRate);
    jobs.stepDuration.observe(labels, metrics.stepMs / 1_000);
    if (metrics.stepMs > 0) {
      jobs.imagesPerSecond.set(labels, (metrics.samples * 1_000) / metrics.stepMs);
    }
  }

  /** What every rank reports of a step. */
  observeRankStep(jobId: string, parts: StepParts, ringBytes: number): void {
    for (const { part, seconds } of partSeconds(parts)) {
      this.jobs.partDuration.observe({ job_id: jobId, part }, seconds);
    }
    this.jobs.ringBytes.inc({ job_id: jobId }, ringBytes);
  }

  observeEvaluation(jobId: string, result: EvaluationResult): void {
    const labels = { job_id: jobId, split: 'test' };
    this.jobs.loss.set(labels, result.loss);
    this.jobs.accuracy.set(labels, result.accuracy);
  }

  observeGeneration({ jobId, attempt, generation }: Fence, worldSize: number): void {
    const labels = { job_id: jobId };
    this.jobs.attempt.set(labels, attempt);
    this.jobs.generation.set(labels, generation);
    this.jobs.worldSize.set(labels, worldSize);
    this.jobs.stragglers.set(labels, 0);
  }

  /** A comparison of the parameter hashes of all ranks. */
  observeHashCheck(jobId: string, agreed: boolean): void {
    this.jobs.hashChecks.inc({ job_id: jobId, result: agreed ? 'agreed' : 'diverged' });
    this.jobs.hashAgreement.set({ job_id: jobId }, agreed ? 1 : 0);
  }

  countLostMember(jobId: string): void {
    this.jobs.lostMembers.inc({ job_id: jobId });
  }

  /** A member has become slow, or is so no longer. */
  observeStraggler(jobId: string, part: StragglerPart, state: 'slow' | 'recovered'): void {
    const labels = { job_id: jobId };
    if (state === 'slow') {
      this.jobs.stragglers.inc(labels);
      this.jobs.stragglersSeen.inc({ ...labels, part });
    } else this.jobs.stragglers.dec(labels);
  }

  countEvent(type: string): void {
    this.cluster.events.inc({ type });
  }

  /** Call when a job is final, so that its time series end. */
  removeJob(jobId: string): Promise<void> {
    return removeSeries(this.jobs, 'job_id', jobId);
  }

  /** @param computeSilentMs as the worker's heartbeat tells it */
  observeHeartbeat(workerId: string, computeSilentMs: number): void {
    this.peers.heartbeats.inc({ worker_id: workerId });
    this.peers.computeSilence.set({ worker_id: workerId }, computeSilentMs / 1_000);
  }

  /** Call when a worker's connection has ended. */
  removeWorker(workerId: string): Promise<void> {
    return removeSeries(this.peers, 'worker_id', workerId);
  }

  /** @param route the pattern, such as `/jobs/:id`, never the path: labels are bounded */
  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.cluster.httpDuration.observe({ method, route, status: String(status) }, seconds);
  }

  /** Of the file system that has the data directory. */
  setDataDirectory({ freeBytes, sizeBytes }: { freeBytes: number; sizeBytes: number }): void {
    this.cluster.dataDirectoryFree.set(freeBytes);
    this.cluster.dataDirectorySize.set(sizeBytes);
  }

  setRedisUp(isUp: boolean): void {
    this.cluster.redisUp.set(isUp ? 1 : 0);
  }

  /**
   * Replaces the numbers of workers that an autoscaler should run. The default number of threads is
   * always told, so that there is a series to read while no job wants any.
   */
  setDesiredWorkers(byThreads: ReadonlyMap<number, number>): void {
    const { desiredWorkers } = this.cluster;
    desiredWorkers.reset();
    desiredWorkers.set({ threads: '1' }, 0);
    for (const [threads, count] of byThreads) {
      desiredWorkers.set({ threads: String(threads) }, count);
    }
  }

  addEventStreams(change: 1 | -1): void {
    this.cluster.eventStreams.inc(change);
  }

  /** Replaces all counts of the cluster. */
  setCounts({ jobs, workers, queues }: ClusterCounts): void {
    const { jobs: jobGauge, workers: workerGauge, queueDepth } = this.cluster;
    jobGauge.reset();
    workerGauge.reset();
    queueDepth.reset();
    for (const [state, count] of Object.entries(jobs)) jobGauge.set({ state }, count);
    for (const [state, count] of Object.entries(workers)) workerGauge.set({ state }, count);
    for (const [queue, counts] of Object.entries(queues)) {
      for (const [state, count] of Object.entries(counts)) queueDepth.set({ queue, state }, count);
    }
  }
}

/** A registry of its own with all metrics of the coordinator. */
export function coordinatorMetrics(): CoordinatorMetrics {
  return new CoordinatorMetrics();
}
