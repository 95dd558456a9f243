import {
  AwakeClock,
  Cluster,
  Ledger,
  type ClusterInput,
  type Halt,
  type Hello,
} from '@skipring/cluster';
import { globalBatchSize } from '@skipring/data';
import type { CoordinatorMetrics } from '@skipring/metrics';
import { type Fence, type WorkerMessage, type WorkerView } from '@skipring/protocol';
import { StoreError } from '@skipring/redis';
import type { StepTracer } from '@skipring/tracing';
import type { Logger } from 'pino';
import { FaultDesk } from '../faults/fault-desk.js';
import { EffectHandler } from './effect-handler.js';
import { halts, haltUnscheduled } from './halt-unscheduled.js';
import { FinalSeries } from './final-series.js';
import { JobRecorder, type RecorderParts } from './job-recorder.js';
import { OrderedWrites } from './ordered-writes.js';
import type {
  CheckpointIndex,
  HaltResult,
  LiveJob,
  ReadyDataSets,
  Scheduler,
  StoredCheckpoint,
  WorkerEvents,
  WorkerLink,
} from './ports.js';
import type { Recovered } from './recovery.js';
import { ringToken } from './ring-token.js';
import { WorkerLinks } from './worker-links.js';
import { workerView } from './worker-view.js';

/** Deadlines of the cluster are kept to this precision. */
const TICK_MS = 100;
/** How long a cancel waits for the store before it answers. */
const SETTLE_DEADLINE_MS = 5_000;

export interface SchedulerParts extends Omit<RecorderParts, 'writes'> {
  readonly checkpoints: CheckpointIndex;
  readonly dataSets: ReadyDataSets;
  readonly metrics: CoordinatorMetrics;
  /** Null draws no spans. */
  readonly tracer: Pick<StepTracer, 'stepCommitted'> | null;
  readonly heartbeatTimeoutMs: number;
  readonly computeSilenceLimitMs: number;
  /** Whether users may bring about faults. */
  readonly takesFaults: boolean;
  /** The most workers of one number of threads that an autoscaler may start. */
  readonly maxWorkers: number;
}

/**
 * Feeds the cluster what happens and carries out what it decides: messages to workers at once,
 * changes of jobs through `OrderedWrites`, so that training does not wait for the store.
 */
export class ClusterScheduler implements Scheduler, WorkerEvents {
  private readonly cluster: Cluster;
  private readonly clock = new AwakeClock(() => performance.now());
  private readonly writes: OrderedWrites;
  private readonly recorder: JobRecorder;
  private readonly finalSeries: FinalSeries;
  private readonly links: WorkerLinks;
  private readonly effects: EffectHandler;
  /** Jobs that ran before this coordinator started. */
  private readonly recovered = new Map<string, Recovered>();
  private readonly entering = new Map<string, Promise<void>>();
  private readonly log: Logger;
  /** Null when the coordinator takes no faults. */
  readonly faults: FaultDesk | null;
  private ticker: NodeJS.Timeout | null = null;

  constructor(private readonly parts: SchedulerParts) {
    this.log = parts.log;
    const { heartbeatTimeoutMs, computeSilenceLimitMs } = parts;
    this.cluster = new Cluster(ringToken, { heartbeatTimeoutMs, computeSilenceLimitMs });
    this.writes = new OrderedWrites(parts.log);
    this.recorder = new JobRecorder({ ...parts, writes: this.writes });
    this.finalSeries = new FinalSeries(parts.metrics);
    this.links = new WorkerLinks(parts.metrics, parts.log);
    const { recorder, links, finalSeries } = this;
    this.effects = new EffectHandler({ ...parts, recorder, links, finalSeries });
    this.faults = parts.takesFaults ? this.openFaultDesk() : null;
  }

  /**
   * Jobs that ran when an earlier coordinator stopped wait a while for the workers that they had. Those
   * that were being halted do so at once, without a turn in the queue.
   */
  async recover(jobs: ReadonlyMap<string, Recovered>): Promise<void> {
    for (const [jobId, job] of jobs) this.recovered.set(jobId, job);
    for (const [jobId, { halt }] of jobs) if (halt !== null) await this.resumeHalt(jobId, halt);
  }

  start(): void {
    this.ticker ??= setInterval(() => {
      this.apply({ type: 'tick' });
    }, TICK_MS);
  }

  /** Decides nothing more; what was decided is stored, within the deadline. */
  async close(deadlineMs: number): Promise<void> {
    if (this.ticker !== null) clearInterval(this.ticker);
    this.finalSeries.close();
    await this.writes.close(deadlineMs);
  }

  enqueue(jobId: string): Promise<void> {
    const known = this.entering.get(jobId);
    if (known !== undefined) return known;
    const entering = this.enter(jobId).finally(() => this.entering.delete(jobId));
    this.entering.set(jobId, entering);
    return entering;
  }

  /** Throws STORE_UNAVAILABLE while the store is away: a cancel that is answered is stored. */
  cancel(jobId: string): Promise<HaltResult> {
    return this.halt(jobId, 'cancelling');
  }

  /** Throws STORE_UNAVAILABLE while the store is away: a pause that is answered is stored. */
  pause(jobId: string): Promise<HaltResult> {
    return this.halt(jobId, 'pausing');
  }

  drain(workerId: string): boolean {
    if (!this.links.has(workerId)) return false;
    this.log.info({ workerId }, 'worker drains');
    this.apply({ type: 'drainRequested', workerId, reason: 'drained by a user' });
    return true;
  }

  isCurrent(fence: Fence): boolean {
    return this.cluster.isCurrent(fence);
  }

  checkpointStored(fence: Fence, checkpoint: StoredCheckpoint): void {
    this.apply({ type: 'checkpointStored', fence, step: checkpoint.step });
    this.recorder.checkpoint(fence, checkpoint);
    this.parts.metrics.observeCheckpoint(fence.jobId, checkpoint.step);
  }

  workers(): WorkerView[] {
    const nowMs = this.clock.now();
    return this.cluster
      .workers()
      .map((worker) => workerView(worker, this.links.imagesPerSecond(worker.id), nowMs));
  }

  desiredWorkers(): ReadonlyMap<number, number> {
    return this.cluster.desiredWorkers(this.parts.maxWorkers);
  }

  liveJob(jobId: string): LiveJob | null {
    const job = this.cluster.job(jobId);
    const run = this.recorder.run(jobId);
    if (job === null || run === null) return null;
    const isTraining = job.state === 'running';
    return {
      generation: job.fence?.generation ?? 0,
      workers: job.workers,
      reason: job.reason,
      imagesPerSecond: isTraining ? run.throughput.imagesPerSecond : 0,
      etaMs: isTraining ? run.etaMs : null,
    };
  }

  workerConnected(hello: Hello, link: WorkerLink): void {
    const { workerId, host, device, threads, tf32 } = hello;
    this.links.add(workerId, link);
    this.log.info({ workerId, host, device, threads, tf32 }, 'worker connected');
    this.apply({ type: 'workerConnected', hello });
  }

  workerMessage(
    workerId: string,
    link: WorkerLink,
    message: Exclude<WorkerMessage, { type: 'hello' }>,
  ): void {
    if (!this.links.isCurrent(workerId, link)) return;
    if (message.type === 'heartbeat') {
      this.parts.metrics.observeHeartbeat(workerId, message.computeSilentMs);
    } else if (message.type === 'aborted') {
      const { fence, code, position } = message;
      const { step } = position;
      this.log.warn({ ...fence, workerId, code, step, reason: message.message }, 'worker aborted');
    }
    this.faults?.receive(workerId, message);
    this.apply({ type: 'workerMessage', workerId, message });
  }

  workerDisconnected(workerId: string, link: WorkerLink, reason: string): void {
    if (!this.links.isCurrent(workerId, link)) return;
    this.log.info({ workerId, reason }, 'worker disconnected');
    this.links.forget(workerId);
    this.apply({ type: 'workerDisconnected', workerId, reason });
  }

  private async halt(jobId: string, how: Halt): Promise<HaltResult> {
    const record = await this.parts.store.get(jobId);
    if (record === null) return 'missing';
    if (this.recovered.has(jobId)) await this.takeTurnEarly(jobId);
    while (this.entering.has(jobId)) await this.entering.get(jobId)?.catch(() => undefined);
    if (this.cluster.job(jobId) !== null) {
      this.apply({ type: halts[how].input, jobId });
      await this.writes.settled(jobId, SETTLE_DEADLINE_MS);
      const job = this.cluster.job(jobId);
      if (job === null) return halts[how].done;
      return job.state === how ? how : 'refused';
    }
    if (!(await this.writes.settled(jobId, SETTLE_DEADLINE_MS))) {
      throw new StoreError('STORE_UNAVAILABLE', `what became of job ${jobId} is not stored yet`);
    }
    // Its turn may have come while earlier writes were awaited.
    if (this.entering.has(jobId) || this.cluster.job(jobId) !== null) return this.halt(jobId, how);
    return haltUnscheduled(this.parts, record, how);
  }

  /** Workers may hold more of the job than its checkpoint has: what halts it is to wait for them. */
  private async takeTurnEarly(jobId: string): Promise<void> {
    try {
      await this.enqueue(jobId);
    } catch (error) {
      this.log.error({ jobId, error }, 'a job is halted before its turn can come');
    }
  }

  private async resumeHalt(jobId: string, how: Halt): Promise<void> {
    try {
      await this.enqueue(jobId);
    } catch (error) {
      this.log.error({ jobId, error }, 'a job is halted without the state that its workers hold');
      const record = await this.parts.store.get(jobId);
      if (record !== null) await haltUnscheduled(this.parts, record, how);
    }
  }

  private openFaultDesk(): FaultDesk {
    const { cluster, links, recorder, log } = this;
    return new FaultDesk({
      job: (jobId) => cluster.job(jobId),
      workers: () => cluster.workers(),
      send: (workerId, message) => {
        links.send(workerId, message);
      },
      tell: (fault) => {
        recorder.fault(fault);
      },
      log,
    });
  }

  private async enter(jobId: string): Promise<void> {
    const { store, checkpoints, dataSets, onEvent } = this.parts;
    if (this.cluster.job(jobId) !== null) return;
    const record = await store.get(jobId);
    const { expected, halt } = this.recovered.get(jobId) ?? { expected: [], halt: null };
    if (record?.state !== (halt ?? 'pending')) return;
    const { spec } = record;
    const dataSet = await dataSets.ready(spec.data.dataSet);
    if (dataSet === null) throw new Error(`data set ${spec.data.dataSet} is not ready`);
    const { step: checkpointStep, damaged } = await checkpoints.latest(jobId);
    const plan = {
      numSamples: dataSet.manifest.splits.train.samples,
      batchSize: globalBatchSize(spec.lanes),
    };
    const ledger = new Ledger(plan, await store.histories.ledger(jobId));
    const attempt = await store.nextAttempt(jobId);
    const state = halt ?? 'waiting';
    const reason = halt === null ? 'waits for workers' : `${halts[halt].done} by a user`;
    // A restart is no failed attempt.
    const attemptsBefore = record.attemptsBefore + (halt === null ? 0 : 1);
    const result = await this.writes.run(jobId, () =>
      store.change(jobId, {
        // `waiting` when an earlier try of this write succeeded and its answer was lost.
        from: halt === null ? ['pending', 'waiting'] : [halt],
        fields: { state, attempt, reason, attemptsBefore },
        event: { type: 'state', state, reason, attempt },
      }),
    );
    if (result.outcome !== 'done') return;
    onEvent({ type: 'state', jobId });
    this.finalSeries.keep(jobId);
    this.recorder.begin({ ...record, attemptsBefore }, attempt, ledger);
    this.parts.metrics.beginAttempt(jobId, {
      totalSteps: record.progress.totalSteps,
      checkpointInterval: spec.checkpoints.everySteps,
      checkpointStep,
    });
    for (const problem of damaged) {
      this.parts.metrics.countDamagedCheckpoint();
      this.log.error({ jobId, problem, checkpointStep }, 'a damaged checkpoint is passed over');
      const next = checkpointStep === null ? 'the beginning' : `step ${checkpointStep}`;
      this.recorder.tell(jobId, 'error', `${problem}; the job goes on from ${next}`);
    }
    const { hash, manifest } = dataSet;
    this.recovered.delete(jobId);
    this.log.info({ jobId, attempt, checkpointStep }, 'attempt begins');
    this.apply({
      type: 'jobQueued',
      job: {
        id: jobId,
        spec,
        attempt,
        checkpointStep,
        dataSet: { hash, manifest },
        expected,
        halt,
      },
    });
  }

  private apply(input: ClusterInput): void {
    for (const effect of this.cluster.apply(input, this.clock.now())) {
      this.effects.carryOut(effect);
      this.faults?.follow(effect);
    }
  }
}
