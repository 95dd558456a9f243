import { finalJobStates, linkedSignal, type JobEvent } from '@skipring/protocol';
import type { RunStore } from '@skipring/redis';
import type { HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import type { EventHub } from './event-hub.js';

const PAGE = 200;
const KEEP_ALIVE_MS = 15_000;
/** The store is asked at least this often, should a wake-up be lost. */
const POLL_MS = 2_000;
/** A reader that takes nothing for this long is cut off. */
const WRITE_TIMEOUT_MS = 30_000;

export interface EventStreamOptions {
  readonly jobId: string;
  /** Null: from the oldest event kept. */
  readonly afterId: string | null;
  /** Whether to go on, live, until the job has ended; else the stream ends behind what is stored. */
  readonly follow: boolean;
  readonly response: HttpResponse;
  /** Ends all streams: the coordinator stops. */
  readonly closing: AbortSignal;
}

/** Sends a job's events as server-sent events, until the job has ended or the reader left. */
export class EventStreams {
  private numOpen = 0;

  constructor(
    private readonly store: RunStore,
    private readonly hub: EventHub,
    private readonly maxOpen: number,
    private readonly onChange: (change: 1 | -1) => void,
  ) {}

  /** Throws HttpProblem TOO_MANY_STREAMS, and store errors, before anything was sent. */
  async send(options: EventStreamOptions): Promise<void> {
    if (this.numOpen >= this.maxOpen) {
      throw new HttpProblem('TOO_MANY_STREAMS', `${this.maxOpen} event streams are open`, [], {
        'retry-after': '5',
      });
    }
    this.numOpen += 1;
    this.onChange(1);
    try {
      await this.follow(options);
    } finally {
      this.numOpen -= 1;
      this.onChange(-1);
    }
  }

  private async follow(options: EventStreamOptions): Promise<void> {
    const left = new AbortController();
    options.response.once('close', () => {
      left.abort();
    });
    const ended = linkedSignal([left.signal, options.closing]);
    try {
      await this.sendUntil(ended.signal, options);
    } finally {
      ended.release();
    }
  }

  private async sendUntil(
    ended: AbortSignal,
    { jobId, afterId, follow, response }: EventStreamOptions,
  ): Promise<void> {
    let lastId = afterId;
    let lastWriteMs = performance.now();
    let hasEnded = await this.hasEnded(jobId);
    let page = await this.store.events.of(jobId, lastId, PAGE);
    begin(response);
    while (!ended.aborted) {
      for (const event of page) {
        await write(response, encodeEvent(event));
        lastId = event.id;
        lastWriteMs = performance.now();
      }
      if (page.length < PAGE) {
        if (!follow || (page.length === 0 && hasEnded)) break;
        if (performance.now() - lastWriteMs >= KEEP_ALIVE_MS) {
          await write(response, ': keep-alive\n\n');
          lastWriteMs = performance.now();
        }
        if (page.length === 0) await this.hub.next(jobId, POLL_MS, ended);
      }
      hasEnded = await this.hasEnded(jobId);
      page = await this.store.events.of(jobId, lastId, PAGE);
    }
    response.end();
  }

  /**
   * The state and its event change as one, so a job that had ended before its events were read has
   * none still to come.
   */
  private async hasEnded(jobId: string): Promise<boolean> {
    const record = await this.store.get(jobId);
    return record === null || finalJobStates.includes(record.state);
  }
}

function begin(response: HttpResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
}

export function encodeEvent(event: JobEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Waits until the reader has taken what was sent, within a deadline. */
async function write(response: HttpResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(() => {
      response.destroy();
      done();
    }, WRITE_TIMEOUT_MS);
    response.once('drain', done);
    response.once('close', done);
  });
}
