import type { Ledger } from '@skipring/cluster';
import {
  Throughput,
  type EvaluationResult,
  type JobView,
  type StepMetrics,
} from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import { RankTimes } from './rank-times.js';

/** What the scheduler keeps of a job between the start and the end of an attempt. */
export class JobRun {
  readonly retries: JobRecord['spec']['retries'];
  /** Since the job was submitted or resumed; this one included. */
  readonly attemptsMade: number;
  readonly throughput = new Throughput();
  readonly rankTimes = new RankTimes();
  /** When the first attempt began to train; null before that. */
  startedAt: string | null;
  /** It waits: steps that are told of now were taken before. */
  isWaiting = false;
  /** When the job was submitted and its delay was over, in milliseconds since 1970. */
  private readonly dueMs: number;
  private progress: JobView['progress'];
  private best: number | null;
  /** Step of the newest evaluation; null before the first. */
  private evaluatedStep: number | null;

  constructor(
    record: JobRecord,
    readonly attempt: number,
    readonly ledger: Ledger,
  ) {
    this.retries = record.spec.retries;
    this.attemptsMade = attempt - record.attemptsBefore;
    this.startedAt = record.startedAt;
    this.dueMs = Date.parse(record.createdAt) + record.spec.delayMs;
    this.progress = record.progress;
    this.best = record.bestAccuracy;
    this.evaluatedStep = record.lastEvaluation?.step ?? null;
  }

  /** Time that the job has been due for. */
  get waitedMs(): number {
    return Math.max(0, Date.now() - this.dueMs);
  }

  /** The job's progress after a committed step. */
  observeStep({ step, epoch, samples, stepMs }: StepMetrics): JobView['progress'] {
    this.throughput.observe(samples, stepMs);
    const { imagesPerSecond } = this.throughput;
    this.progress = { ...this.progress, step, epoch, imagesPerSecond, etaMs: this.etaOf(step) };
    return this.isWaiting ? this.stopped : this.progress;
  }

  /** A model of so many steps is stored: it holds them, also those of which no report came. */
  observeCheckpoint(step: number): JobView['progress'] {
    this.progress = { ...this.progress, step: Math.max(step, this.progress.step) };
    return this.isWaiting ? this.stopped : this.progress;
  }

  /** Best test accuracy so far, with this one; null when this evaluation was told of before. */
  observeEvaluation({ step, accuracy }: EvaluationResult): number | null {
    if (step === this.evaluatedStep) return null;
    this.evaluatedStep = step;
    this.best = Math.max(this.best ?? 0, accuracy);
    return this.best;
  }

  /** The job's progress when it trains no longer. */
  get stopped(): JobView['progress'] {
    return { ...this.progress, imagesPerSecond: 0, etaMs: null };
  }

  /** The job's progress when it has succeeded: reports of steps may have gone to a dead coordinator. */
  get succeeded(): JobView['progress'] {
    return { ...this.progress, step: this.progress.totalSteps, etaMs: 0 };
  }

  get etaMs(): number | null {
    return this.etaOf(this.progress.step);
  }

  private etaOf(step: number): number | null {
    return this.throughput.etaMs(Math.max(0, this.progress.totalSteps - step));
  }
}
