import type { CoordinatorMetrics } from '@skipring/metrics';

/** Several scrapes at Prometheus' usual interval of 15 s, so that the last values are seen. */
const KEPT_MS = 60_000;

/** Ends the time series of jobs that have ended, after some time. */
export class FinalSeries {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly metrics: Pick<CoordinatorMetrics, 'removeJob'>) {}

  end(jobId: string): void {
    this.keep(jobId);
    const timer = setTimeout(() => {
      this.timers.delete(jobId);
      void this.metrics.removeJob(jobId);
    }, KEPT_MS);
    timer.unref();
    this.timers.set(jobId, timer);
  }

  /** The job runs again. */
  keep(jobId: string): void {
    clearTimeout(this.timers.get(jobId));
    this.timers.delete(jobId);
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}
