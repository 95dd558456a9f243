import { statfs } from 'node:fs/promises';
import type { CoordinatorMetrics, Counts } from '@skipring/metrics';
import { workerStates } from '@skipring/protocol';
import type { RunStore, WorkQueue } from '@skipring/redis';
import type { Logger } from 'pino';
import type { Scheduler } from '../scheduling/ports.js';

export interface MetricsSources {
  readonly metrics: CoordinatorMetrics;
  readonly store: RunStore;
  readonly scheduler: Scheduler;
  /** By name. */
  readonly queues: Readonly<Record<string, Pick<WorkQueue<unknown>, 'counts'>>>;
  readonly dataDirectory: string;
  readonly log: Logger;
}

/** The page that Prometheus reads; counts of the cluster are taken for each reading. */
export class MetricsPage {
  private counts: { jobs: Counts; queues: Record<string, Counts> } = { jobs: {}, queues: {} };

  constructor(private readonly sources: MetricsSources) {}

  /** While Redis is away, the counts of jobs and queues are those of the last reading. */
  async render(): Promise<{ contentType: string; text: string }> {
    const { metrics, scheduler, log } = this.sources;
    try {
      this.counts = await this.readCounts();
      metrics.setRedisUp(true);
    } catch (error) {
      metrics.setRedisUp(false);
      log.warn({ err: error }, 'metrics without counts of jobs and queues');
    }
    await this.readDataDirectory();
    metrics.setDesiredWorkers(scheduler.desiredWorkers());
    metrics.setCounts({ ...this.counts, workers: this.countWorkers(scheduler) });
    return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
  }

  private async readDataDirectory(): Promise<void> {
    const { metrics, dataDirectory, log } = this.sources;
    try {
      const { bavail, blocks, bsize } = await statfs(dataDirectory);
      metrics.setDataDirectory({ freeBytes: bavail * bsize, sizeBytes: blocks * bsize });
    } catch (error) {
      log.warn({ err: error, dataDirectory }, 'metrics without the room that is left');
    }
  }

  private async readCounts(): Promise<{ jobs: Counts; queues: Record<string, Counts> }> {
    const { store, queues } = this.sources;
    const entries = await Promise.all(
      Object.entries(queues).map(async ([name, queue]) => [name, await queue.counts()] as const),
    );
    return { jobs: await store.index.countByState(), queues: Object.fromEntries(entries) };
  }

  private countWorkers(scheduler: Scheduler): Counts {
    const counts: Record<string, number> = Object.fromEntries(
      workerStates.map((state) => [state, 0]),
    );
    for (const { state } of scheduler.workers()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }
}
