import type { SkipringClient } from '@skipring/client';
import { finalJobStates, type JobEvent, type JobView } from '@skipring/protocol';
import { useContext, useEffect, useState } from 'preact/hooks';
import { ClientContext } from '../client-context.js';
import {
  MAX_LIVE_STEPS,
  NO_HISTORY,
  NUM_POINTS,
  withEvents,
  type JobHistory,
} from './job-history.js';

/** What came in is shown this often: a person sees no more, and drawing takes its time. */
const SHOW_MS = 250;
/** Of a running job, what no event tells: pace, time left, and workers by rank. */
const VIEW_MS = 2_000;
const RECONNECT_MS = 1_000;

export interface JobFeed {
  readonly job: JobView | null;
  readonly history: JobHistory;
  /** Whether the stored history is there. */
  readonly isLoaded: boolean;
  /** `live`: events come in as they happen. */
  readonly connection: 'connecting' | 'live' | 'ended';
  readonly error: Error | null;
}

const EMPTY: JobFeed = {
  job: null,
  history: NO_HISTORY,
  isLoaded: false,
  connection: 'connecting',
  error: null,
};

/** A job with its history, live until it has ended, through reloads and restarts of the coordinator. */
export function useJobFeed(id: string, turn: number): JobFeed {
  const { client, onRefused } = useContext(ClientContext);
  const [feed, setFeed] = useState(EMPTY);
  useEffect(() => {
    setFeed(({ job }) => ({ ...EMPTY, job: job?.id === id ? job : null }));
    const reader = new FeedReader(client, id, setFeed, onRefused);
    reader.start();
    return () => {
      reader.stop();
    };
  }, [client, id, onRefused, turn]);
  return feed;
}

type Update = (change: (before: JobFeed) => JobFeed) => void;

class FeedReader {
  private readonly stopping = new AbortController();
  private incoming: JobEvent[] = [];
  private numLive = 0;
  private lastEventId: string | undefined;

  constructor(
    private readonly client: SkipringClient,
    private readonly id: string,
    private readonly update: Update,
    private readonly onRefused: () => void,
  ) {}

  start(): void {
    void this.repeat(SHOW_MS, () => {
      this.show();
      return Promise.resolve();
    });
    void this.repeat(VIEW_MS, () => this.readView());
    void this.follow();
  }

  stop(): void {
    this.stopping.abort();
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Stored history first, then every event; reconnects until the job has ended. */
  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    while (!this.isStopped) {
      try {
        await this.readHistory();
        const afterId = this.lastEventId;
        const options = afterId === undefined ? { signal } : { afterId, signal };
        for await (const event of this.client.follow(this.id, options)) {
          this.lastEventId = event.id;
          this.incoming.push(event);
        }
        this.show();
        await this.readView();
        this.change({ connection: 'ended' });
        return;
      } catch (error) {
        this.fail(error);
      }
      await pause(RECONNECT_MS);
    }
  }

  private async readHistory(): Promise<void> {
    const [steps, evaluations] = await Promise.all([
      this.client.metrics(this.id, { points: NUM_POINTS }),
      this.client.evaluations(this.id),
    ]);
    this.numLive = 0;
    this.set((before) => ({
      ...before,
      isLoaded: true,
      history: { ...before.history, steps, evaluations },
    }));
  }

  /** Never throws. */
  private async readView(): Promise<void> {
    try {
      const job = await this.client.job(this.id);
      this.set(({ connection, ...before }) => ({
        ...before,
        job,
        error: null,
        connection: connection === 'ended' ? connection : 'live',
      }));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Hands on what came in since. */
  private show(): void {
    const events = this.incoming;
    if (events.length === 0) return;
    this.incoming = [];
    const isNewState = events.some(({ type }) => type === 'state' || type === 'generation');
    if (isNewState) void this.readView();
    this.set((before) => {
      const history = withEvents(before.history, events);
      this.numLive += history.steps.length - before.history.steps.length;
      return { ...before, history };
    });
    if (this.numLive > MAX_LIVE_STEPS) {
      this.numLive = 0;
      void this.readHistory().catch((error: unknown) => {
        this.fail(error);
      });
    }
  }

  private fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if ('status' in error && error.status === 401) this.onRefused();
    this.change({ connection: 'connecting', error });
  }

  private change(fields: Partial<JobFeed>): void {
    this.set((before) => ({ ...before, ...fields }));
  }

  private set(change: (before: JobFeed) => JobFeed): void {
    if (!this.isStopped) this.update(change);
  }

  private async repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
    let isFinal = false;
    while (!this.isStopped && !isFinal) {
      if (!document.hidden) await act();
      await pause(everyMs);
      this.set((before) => {
        const { state } = before.job ?? {};
        isFinal =
          before.connection === 'ended' && state !== undefined && finalJobStates.includes(state);
        return before;
      });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
