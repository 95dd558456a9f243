import type { SkipringClient } from '@skipring/client';
import { finalJobStates, type JobEvent, type JobView } from '@skipring/protocol';

/** A whole job, also on a machine that is busy with other work. */
const END_DEADLINE_MS = 280_000;

type EventOf<T extends JobEvent['type']> = Extract<JobEvent, { type: T }>;

/** A job's events as its followers see them, also across restarts of the coordinator. */
export class JobWatch {
  readonly events: JobEvent[] = [];
  private readonly leaving = new AbortController();
  private isOver = false;
  private wake: () => void = () => undefined;

  /** @param afterId the last event that is not wanted; else all are, from the first */
  constructor(
    private readonly client: SkipringClient,
    readonly id: string,
    private readonly afterId?: string,
  ) {
    void this.read();
  }

  ofType<T extends JobEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** What the job's log says, but for slow workers: on a busy machine there are some. */
  get problems(): string[] {
    const messages = this.ofType('log').map(({ message }) => message);
    return messages.filter((message) => !message.includes(' is slow: '));
  }

  /** Events of this type that came before another event. */
  before<T extends JobEvent['type']>(later: JobEvent, type: T): EventOf<T>[] {
    const end = this.events.indexOf(later);
    return this.ofType(type).filter((event) => this.events.indexOf(event) < end);
  }

  /** The last step that was committed before an event; 0 if none was. */
  lastStepBefore(later: JobEvent): number {
    return this.before(later, 'step').at(-1)?.metrics.step ?? 0;
  }

  /** The first event of this type that `accept` takes, of those it has seen or will see. */
  async first<T extends JobEvent['type']>(
    type: T,
    accept: (event: EventOf<T>) => boolean,
    deadlineMs = 90_000,
  ): Promise<EventOf<T>> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const found = this.ofType(type).find(accept);
      if (found !== undefined) return found;
      if (this.isOver || Date.now() > deadline) {
        const last = JSON.stringify(this.events.slice(-3));
        throw new Error(`no ${type} event ${String(accept)}; the last events: ${last}`);
      }
      await this.more(deadline - Date.now());
    }
  }

  /** Resolves when so many steps are committed. */
  step(count: number): Promise<EventOf<'step'>> {
    return this.first('step', ({ metrics }) => metrics.step >= count);
  }

  generation(number: number, attempt = 1): Promise<EventOf<'generation'>> {
    return this.first(
      'generation',
      (event) => event.generation === number && event.attempt === attempt,
    );
  }

  /** The job when it has ended, in whatever state. */
  async ended(deadlineMs = END_DEADLINE_MS): Promise<JobView> {
    await this.first('state', ({ state }) => finalJobStates.includes(state), deadlineMs);
    return this.client.job(this.id);
  }

  close(): void {
    this.leaving.abort();
  }

  private async read(): Promise<void> {
    try {
      const { signal } = this.leaving;
      const after = this.afterId === undefined ? {} : { afterId: this.afterId };
      for await (const event of this.client.follow(this.id, { signal, ...after })) {
        this.events.push(event);
        this.wake();
      }
    } finally {
      this.isOver = true;
      this.wake();
    }
  }

  /** Resolves at the next event, or after `waitMs`. */
  private more(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
