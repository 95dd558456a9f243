import { StoreError } from '@skipring/redis';
import type { Logger } from 'pino';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;
/** Some minutes of step reports of several jobs. */
const MAX_BACKLOG = 50_000;

/**
 * Writes of jobs: those of one job in their order, each tried again while the store is away, so that
 * training goes on meanwhile and nothing is lost.
 */
export class OrderedWrites {
  private readonly lines = new Map<string, Promise<void>>();
  private numWaiting = 0;
  private readonly giveUp = new AbortController();

  constructor(private readonly log: Logger) {}

  /**
   * Adds a write to a job's line.
   * @param isMetric its loss does no harm to the job: dropped when too much waits
   */
  add(jobId: string, write: () => Promise<void>, { isMetric = false } = {}): void {
    if (isMetric && this.numWaiting >= MAX_BACKLOG) return;
    this.run(jobId, write).catch((error: unknown) => {
      this.log.error({ jobId, err: error }, 'a change of a job could not be stored');
    });
  }

  /** Adds a write to a job's line; resolves with its result. Throws what the write throws. */
  run<T>(jobId: string, write: () => Promise<T>): Promise<T> {
    this.numWaiting += 1;
    const before = this.lines.get(jobId) ?? Promise.resolve();
    const result = before.then(() => this.persist(jobId, write));
    const line = result
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        this.numWaiting -= 1;
        if (this.lines.get(jobId) === line) this.lines.delete(jobId);
      });
    this.lines.set(jobId, line);
    return result;
  }

  /** True when all writes added so far for this job have ended; false at the deadline. */
  settled(jobId: string, deadlineMs: number): Promise<boolean> {
    return withDeadline(this.lines.get(jobId) ?? Promise.resolve(), deadlineMs);
  }

  /** Waits for all writes until the deadline; then none is begun or tried again. */
  async close(deadlineMs: number): Promise<void> {
    await withDeadline(Promise.all(this.lines.values()), deadlineMs);
    this.giveUp.abort();
    await Promise.all(this.lines.values());
  }

  private async persist<T>(jobId: string, write: () => Promise<T>): Promise<T> {
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      if (this.giveUp.signal.aborted) {
        throw new StoreError('STORE_UNAVAILABLE', 'the coordinator stops before this is stored');
      }
      try {
        return await write();
      } catch (error) {
        const isAway = error instanceof StoreError && error.code === 'STORE_UNAVAILABLE';
        if (!isAway) throw error;
        this.log.warn({ jobId, delayMs }, 'the store is away; a change is tried again');
        await pause(delayMs, this.giveUp.signal);
      }
    }
  }
}

/** Resolves after `ms`, or when the signal fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** Whether the promise resolved before the deadline. */
async function withDeadline(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, false);
  });
  const isInTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return isInTime;
}
