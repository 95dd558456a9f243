import type { ClusterEffect } from '@skipring/cluster';
import type { CoordinatorMetrics } from '@skipring/metrics';
import { describeStraggler } from '@skipring/protocol';
import type { StepTracer } from '@skipring/tracing';
import type { Logger } from 'pino';
import type { FinalSeries } from './final-series.js';
import type { JobRecorder } from './job-recorder.js';
import type { CheckpointIndex } from './ports.js';
import type { WorkerLinks } from './worker-links.js';

export interface EffectParts {
  readonly links: WorkerLinks;
  readonly recorder: JobRecorder;
  readonly checkpoints: Pick<CheckpointIndex, 'raiseFence'>;
  readonly metrics: CoordinatorMetrics;
  readonly tracer: Pick<StepTracer, 'stepCommitted'> | null;
  readonly finalSeries: FinalSeries;
  readonly log: Logger;
}

type Effect<T extends ClusterEffect['type']> = Extract<ClusterEffect, { type: T }>;

type AttemptEnd = Effect<'attemptFailed' | 'jobFinished' | 'jobCancelled' | 'jobPaused'>;

/** Carries out what the cluster decides: messages, metrics, records and the log. Never throws. */
export class EffectHandler {
  constructor(private readonly parts: EffectParts) {}

  carryOut(effect: ClusterEffect): void {
    const { links } = this.parts;
    switch (effect.type) {
      case 'send':
        links.send(effect.workerId, effect.message);
        return;
      case 'disconnect':
        links.disconnect(effect.workerId, effect.reason);
        return;
      case 'jobState':
        this.jobState(effect);
        return;
      case 'generationStarted':
        this.generationStarted(effect);
        return;
      case 'stepCommitted':
        this.stepCommitted(effect);
        return;
      case 'rankStep':
        this.rankStep(effect);
        return;
      case 'stragglerSeen':
        this.stragglerSeen(effect);
        return;
      case 'noticeGiven':
        this.parts.recorder.tell(effect.jobId, 'info', effect.message);
        return;
      case 'layersProbed':
        this.parts.recorder.layers(effect);
        return;
      case 'evaluationDone':
        this.evaluationDone(effect);
        return;
      case 'hashesCompared':
        this.hashesCompared(effect);
        return;
      case 'memberLost':
        this.memberLost(effect);
        return;
      case 'loadFailed':
        this.loadFailed(effect);
        return;
      case 'checkpointFailed':
        this.checkpointFailed(effect);
        return;
      case 'attemptFailed':
      case 'jobFinished':
      case 'jobCancelled':
      case 'jobPaused':
        this.attemptEnded(effect);
        return;
    }
  }

  private jobState(effect: Effect<'jobState'>): void {
    const { recorder, metrics, log } = this.parts;
    const { jobId, state, reason } = effect;
    const run = recorder.run(jobId);
    log.info({ jobId, attempt: run?.attempt, state, reason }, 'job state');
    metrics.observeJobState(jobId, state);
    if (state === 'running' && run?.startedAt === null) {
      metrics.observeQueueWait(run.waitedMs / 1_000);
    }
    recorder.state(effect);
  }

  private generationStarted(effect: Effect<'generationStarted'>): void {
    const { links, recorder, checkpoints, metrics, log } = this.parts;
    const { fence, workers, step, reason } = effect;
    log.info({ ...fence, workers, step, reason }, 'generation started');
    checkpoints.raiseFence(fence);
    metrics.observeGeneration(fence, workers.length);
    for (const workerId of workers) links.restartThroughput(workerId);
    recorder.generation(effect);
  }

  private stepCommitted(effect: Effect<'stepCommitted'>): void {
    const { recorder, metrics, tracer, log } = this.parts;
    const { fence, metrics: stepMetrics } = effect;
    log.debug({ ...fence, ...stepMetrics }, 'step committed');
    metrics.observeStep(fence.jobId, stepMetrics);
    tracer?.stepCommitted(fence, stepMetrics);
    recorder.step(effect);
  }

  private rankStep(effect: Effect<'rankStep'>): void {
    const { links, recorder, metrics } = this.parts;
    const { jobId, workerId, parts, ringBytes, samples } = effect;
    recorder.run(jobId)?.rankTimes.observe(effect);
    const stepMs = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    links.observe(workerId, samples, stepMs);
    metrics.observeRankStep(jobId, parts, ringBytes);
  }

  private stragglerSeen({ fence, state, straggler }: Effect<'stragglerSeen'>): void {
    const { recorder, metrics, log } = this.parts;
    const { jobId } = fence;
    const text = describeStraggler({ state, ...straggler });
    log.warn({ event: 'straggler', ...fence, state, ...straggler }, text);
    metrics.observeStraggler(jobId, straggler.part, state);
    recorder.straggler(jobId, state, straggler);
  }

  private evaluationDone(effect: Effect<'evaluationDone'>): void {
    const { recorder, metrics, log } = this.parts;
    const { fence, result } = effect;
    const { step, epoch, loss, accuracy } = result;
    log.info({ ...fence, step, epoch, loss, accuracy }, 'evaluation');
    metrics.observeEvaluation(fence.jobId, result);
    recorder.evaluation(effect);
  }

  private hashesCompared({ jobId, agreed }: Effect<'hashesCompared'>): void {
    const { recorder, metrics, log } = this.parts;
    metrics.observeHashCheck(jobId, agreed);
    if (agreed) return;
    log.error({ jobId }, 'the replicas differ');
    recorder.tell(jobId, 'error', 'the replicas differ; the majority repairs the others');
  }

  private memberLost({ jobId, workerId }: Effect<'memberLost'>): void {
    const { recorder, metrics } = this.parts;
    metrics.countLostMember(jobId);
    recorder.tell(jobId, 'warn', `worker ${workerId} is lost`);
  }

  private loadFailed({ jobId, workerId, reason }: Effect<'loadFailed'>): void {
    const { recorder, log } = this.parts;
    log.warn({ jobId, workerId, reason }, 'a worker can not join the job');
    recorder.tell(jobId, 'warn', `worker ${workerId} can not join: ${reason}`);
  }

  private checkpointFailed({ jobId, step, reason }: Effect<'checkpointFailed'>): void {
    const { recorder, log } = this.parts;
    log.error({ jobId, step, reason }, 'a checkpoint is not stored; training goes on');
    recorder.tell(jobId, 'error', `the checkpoint of step ${step} is not stored: ${reason}`);
  }

  private attemptEnded(effect: AttemptEnd): void {
    const { recorder, metrics, finalSeries, log } = this.parts;
    const { jobId, attempt } = effect;
    switch (effect.type) {
      case 'attemptFailed': {
        const { reason, retryable } = effect;
        log.warn({ jobId, attempt, reason, retryable }, 'attempt failed');
        recorder.attemptFailed(effect);
        break;
      }
      case 'jobFinished':
        log.info({ jobId, attempt, modelSha256: effect.modelSha256 }, 'job succeeded');
        recorder.succeeded(effect);
        break;
      case 'jobCancelled':
        log.info({ jobId, attempt }, 'job cancelled');
        recorder.cancelled(effect);
        break;
      case 'jobPaused':
        log.info({ jobId, attempt }, 'job paused');
        recorder.paused(effect);
        break;
    }
    metrics.endAttempt(jobId);
    finalSeries.end(jobId);
  }
}
