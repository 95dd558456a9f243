import type { SkipringClient } from '@skipring/client';
import type { WorkerView } from '@skipring/protocol';

/** Keeps how the workers were when they last trained: once a job has ended they show no speed. */
export class WorkingWorkers {
  private newest: readonly WorkerView[] = [];
  private looking: Promise<void> | null = null;

  constructor(private readonly client: Pick<SkipringClient, 'workers'>) {}

  /** Looks at them, unless it does already. What it cannot see changes nothing. */
  look(): void {
    this.looking ??= this.client
      .workers()
      .then((workers) => {
        const isTraining = workers.some(({ imagesPerSecond }) => imagesPerSecond > 0);
        if (isTraining || this.newest.length === 0) this.newest = workers;
      })
      .catch(() => undefined)
      .finally(() => {
        this.looking = null;
      });
  }

  async last(): Promise<readonly WorkerView[]> {
    await this.looking;
    return this.newest;
  }
}
