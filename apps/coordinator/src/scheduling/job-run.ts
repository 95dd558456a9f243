import type { JobView, StepMetrics } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import { Throughput } from './throughput.js';

/** What the scheduler keeps of a job between the start and the end of an attempt. */
export class JobRun {
  readonly throughput = new Throughput();
  private progress: JobView['progress'];
  private best: number | null;
  startedAt: string | null;

  constructor(
    record: JobRecord,
    readonly attempt: number,
  ) {
    this.progress = record.progress;
    this.best = record.bestAccuracy;
    this.startedAt = record.startedAt;
    this.retries = record.spec.retries;
    this.attemptsMade = attempt - record.attemptsBefore;
  }

  readonly retries: JobRecord['spec']['retries'];
  /** Since the job was submitted or resumed; this one included. */
  readonly attemptsMade: number;

  /** The job's progress after a committed step. */
  observeStep({ step, epoch, samples, stepMs }: StepMetrics): JobView['progress'] {
    this.throughput.observe(samples, stepMs);
    const { imagesPerSecond } = this.throughput;
    this.progress = { ...this.progress, step, epoch, imagesPerSecond, etaMs: this.etaMs(step) };
    return this.progress;
  }

  /** The job's progress when it has succeeded. */
  get ended(): JobView['progress'] {
    return { ...this.progress, etaMs: 0 };
  }

  /** Best test accuracy so far, with this one. */
  observeAccuracy(accuracy: number): number {
    this.best = Math.max(this.best ?? 0, accuracy);
    return this.best;
  }

  get eta(): number | null {
    return this.etaMs(this.progress.step);
  }

  private etaMs(step: number): number | null {
    return this.throughput.etaMs(Math.max(0, this.progress.totalSteps - step));
  }
}
