import { DelayedError, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  closeConnection,
  connectForBlocking,
  connectForCommands,
  type RedisStoreOptions,
} from './connection.js';
import { run } from './errors.js';
import { Keys } from './keys.js';

/** Largest priority that BullMQ takes; there, 1 comes first. */
const LOWEST_PRIORITY = 2_097_151;
/** A handler that fails because of its surroundings is tried again this often. */
const NUM_TRIES = 20;
const FIRST_BACKOFF_MS = 500;
const CLOSE_DEADLINE_MS = 5_000;

export interface WorkQueueOptions extends RedisStoreOptions {
  readonly name: string;
  /** Entries handled at the same time. */
  readonly concurrency: number;
}

export interface EntryOptions {
  /** Higher runs first. */
  readonly priority?: number;
  readonly delayMs?: number;
}

/** How many entries are in which state. */
export type QueueCounts = Readonly<Record<'waiting' | 'active' | 'delayed', number>>;

/** Handles one entry; `signal` fires when the queue closes. */
export type EntryHandler<T> = (data: T, signal: AbortSignal) => Promise<void>;

/** Thrown by a handler: to try this entry again is of no use. */
export class EntryRejected extends Error {
  override readonly name = 'EntryRejected';
}

/** Thrown by a handler: this entry comes again later, and this was none of its tries. */
export class EntryPostponed extends Error {
  override readonly name = 'EntryPostponed';
  constructor(readonly delayMs: number) {
    super(`put off for ${delayMs} ms`);
  }
}

/**
 * A BullMQ queue with its worker. An entry's id is chosen by the caller: to add the same entry again
 * changes nothing while it is there. A handler may run twice for one entry (at least once), so it
 * must check what is left to do; and it must not block the event loop, or the entry's lock is lost.
 */
export class WorkQueue<T> {
  private readonly commands: Redis;
  private readonly queue: Queue<T, void, string, T, void, string>;
  private readonly closing = new AbortController();
  private worker: { bull: Worker<T, void>; connection: Redis } | null = null;

  constructor(private readonly options: WorkQueueOptions) {
    this.commands = connectForCommands(options);
    this.queue = new Queue(options.name, {
      connection: this.commands,
      prefix: new Keys(options.keyPrefix).queues,
      skipWaitingForReady: true,
      defaultJobOptions: {
        attempts: NUM_TRIES,
        backoff: { type: 'exponential', delay: FIRST_BACKOFF_MS },
        removeOnComplete: true,
        removeOnFail: true,
        stackTraceLimit: 0,
      },
    });
    this.queue.on('error', options.onError);
  }

  /** Throws STORE_UNAVAILABLE when Redis is away; then the entry may or may not have been added. */
  async add(id: string, data: T, { priority = 0, delayMs = 0 }: EntryOptions = {}): Promise<void> {
    await run(() =>
      this.queue.add(this.options.name, data, {
        jobId: id,
        delay: delayMs,
        priority: Math.max(1, LOWEST_PRIORITY - priority),
      }),
    );
  }

  /** True when it is gone, false when it is being handled now. */
  async remove(id: string): Promise<boolean> {
    return (await run(() => this.queue.remove(id))) === 1;
  }

  async has(id: string): Promise<boolean> {
    return (await run(() => this.queue.getJob(id))) !== undefined;
  }

  async counts(): Promise<QueueCounts> {
    const counts = await run(() =>
      this.queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    );
    return {
      waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
      active: counts.active ?? 0,
      delayed: counts.delayed ?? 0,
    };
  }

  /** Begins to handle entries. Call once. */
  start(handle: EntryHandler<T>): void {
    if (this.worker !== null) throw new Error(`queue ${this.options.name} is started already`);
    const connection = connectForBlocking(this.options);
    const bull = new Worker<T, void>(
      this.options.name,
      async (entry, token) => {
        try {
          await handle(entry.data, this.closing.signal);
        } catch (error) {
          if (error instanceof EntryPostponed) {
            await entry.moveToDelayed(Date.now() + error.delayMs, token);
            throw new DelayedError();
          }
          if (error instanceof EntryRejected) throw new UnrecoverableError(error.message);
          throw error;
        }
      },
      {
        connection: connection,
        prefix: new Keys(this.options.keyPrefix).queues,
        concurrency: this.options.concurrency,
        // An entry is not to blame when the process that handles it dies.
        maxStalledCount: NUM_TRIES,
      },
    );
    bull.on('error', this.options.onError);
    bull.on('failed', (_, error) => {
      // What closing cut short is tried again at the next start.
      if (!this.closing.signal.aborted) this.options.onError(error);
    });
    this.worker = { bull, connection };
  }

  /** Ends handlers by their signal, waits for them within a deadline, and closes the connections. */
  async close(): Promise<void> {
    this.closing.abort(new Error(`queue ${this.options.name} is closing`));
    if (this.worker !== null) {
      const { bull, connection } = this.worker;
      await withDeadline(bull.close());
      await closeConnection(connection);
    }
    await withDeadline(this.queue.close());
    await closeConnection(this.commands);
  }
}

/** BullMQ's close waits for Redis, which may be away. */
async function withDeadline(closed: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_DEADLINE_MS);
  });
  await Promise.race([closed.catch(() => undefined), deadline]);
  clearTimeout(timer);
}
