import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { CoordinatorMessage, Fence, WorkerMessage } from '@skipring/protocol';
import type { Strike } from '../faults/armed-faults.js';
import { RemoteThreadError } from '../thread-error.js';
import type {
  ComputeToIo,
  IoRequest,
  IoThreadData,
  IoToCompute,
  RingTraffic,
  ThreadError,
} from '../thread-messages.js';

/** Its modules load within a second; on a machine that is overloaded, in ten and more. */
const START_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 3_000;

export interface IoEvents {
  onMessage(message: CoordinatorMessage): void;
  onGatewayClosed(): void;
  onFatal(error: ThreadError): void;
}

interface Pending {
  resolve(traffic: RingTraffic): void;
  reject(error: Error): void;
}

/** The compute thread's end of the I/O thread: requests with replies, and messages both ways. */
export class IoLink {
  private readonly pending = new Map<number, Pending>();
  private readonly exited: Promise<void>;
  private nextId = 1;
  private isClosing = false;
  /** Why the thread is gone. */
  private failure: Error | null = null;

  private constructor(
    private readonly thread: Worker,
    private readonly events: IoEvents,
  ) {
    this.exited = new Promise((resolve) => {
      thread.once('exit', () => {
        resolve();
      });
    });
  }

  /** Starts the thread and waits until its listeners are open. */
  static async start(
    data: IoThreadData,
    events: IoEvents,
    entry: string | URL = createRequire(import.meta.url).resolve('@skipring/worker/io-thread'),
  ): Promise<{ link: IoLink; metricsPort: number; ringPort: number }> {
    const thread = new Worker(entry, { workerData: data, name: 'skipring-io' });
    const link = new IoLink(thread, events);
    const ports = await new Promise<{ metricsPort: number; ringPort: number }>(
      (resolve, reject) => {
        let isStarted = false;
        const timer = setTimeout(() => {
          reject(new Error(`the I/O thread did not start within ${START_TIMEOUT_MS} ms`));
        }, START_TIMEOUT_MS);
        thread.on('message', (message: IoToCompute) => {
          if (message.kind === 'started') {
            clearTimeout(timer);
            isStarted = true;
            resolve(message);
          } else {
            link.receive(message);
          }
        });
        const fail = (error: Error): void => {
          clearTimeout(timer);
          if (isStarted) link.fail(error);
          else reject(error);
        };
        thread.on('error', fail);
        thread.on('exit', () => {
          fail(new Error('the I/O thread has ended'));
        });
      },
    );
    return { link, ...ports };
  }

  send(message: WorkerMessage): void {
    this.post({ kind: 'send', message });
  }

  /**
   * Resolves with what this rank has done in the current ring. Rejects with
   * RemoteThreadError, or with the reason why the thread is gone; the I/O thread bounds every request
   * by its own deadline.
   */
  request(request: IoRequest): Promise<RingTraffic> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.post({ kind: 'request', id, request });
    });
  }

  /** Resolves when the coordinator was told, or can't be. */
  async announce(id: string, fence: Fence): Promise<void> {
    await this.request({ kind: 'announce', message: { type: 'faultFired', id, fence } });
  }

  strikeRing(strike: Strike, fence: Fence): void {
    this.post({ kind: 'strikeRing', strike, fence });
  }

  async close(): Promise<void> {
    this.isClosing = true;
    this.post({ kind: 'close' });
    const timer = setTimeout(() => void this.thread.terminate(), CLOSE_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private post(message: ComputeToIo): void {
    this.thread.postMessage(message);
  }

  private receive(message: Exclude<IoToCompute, { kind: 'started' }>): void {
    switch (message.kind) {
      case 'reply': {
        const pending = this.pending.get(message.id);
        this.pending.delete(message.id);
        if (message.error === null) pending?.resolve(message.traffic);
        else pending?.reject(new RemoteThreadError(message.error));
        return;
      }
      case 'message':
        this.events.onMessage(message.message);
        return;
      case 'gatewayClosed':
        this.events.onGatewayClosed();
        return;
      case 'fatal':
        this.events.onFatal(message.error);
        return;
    }
  }

  private fail(error: Error): void {
    if (this.failure !== null) return;
    this.failure = error;
    if (!this.isClosing) this.events.onFatal({ code: 'IO_THREAD', message: error.message });
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
  }
}
