import { createRequire } from 'node:module';
import {
  MessageChannel,
  Worker,
  receiveMessageOnPort,
  type MessagePort,
} from 'node:worker_threads';
import { DataError, type DataErrorCode } from '../error.js';
import type { ImageStatistics } from '../samples/geometry.js';
import type { LaneBatch } from '../samples/lane-batch.js';
import type { SampleSource } from '../samples/sample-source.js';
import { globalBatchSize, requireCount, requireIndex, stepsPerEpoch } from '../sampling/plan.js';
import type { BatchSpec, EpochStep, FromThread, ThreadData, ToThread } from './thread-messages.js';

const DEFAULT_TIMEOUT_MS = 60_000;

export interface LaneBatchesOptions {
  /** The training split; its memory is shared with the batch thread. */
  readonly source: SampleSource;
  readonly manifest: ImageStatistics;
  readonly spec: BatchSpec;
  /** Lane batches made ahead, at most; each takes 4 bytes a pixel and channel. */
  readonly depth: number;
  /** Longest wait of `next`. Default 60 s. */
  readonly timeoutMs?: number;
}

interface ReadyBatch {
  readonly lane: number;
  readonly batch: LaneBatch;
}

/**
 * A rank's training batches, made ahead of need by a thread of their own. One caller, one call of
 * `next` at a time.
 */
export class LaneBatches {
  private readonly ready: ReadyBatch[] = [];
  private readonly stepsPerEpoch: number;
  private readonly exited: Promise<void>;
  private seekNumber = 0;
  /** Batches taken of which the thread does not know. */
  private numTaken = 0;
  private running = false;
  private positioned = false;
  private failure: DataError | undefined;
  private wake: (() => void) | undefined;
  private waitedMs = 0;

  private constructor(
    private readonly options: LaneBatchesOptions,
    private readonly worker: Worker,
    private readonly port: MessagePort,
  ) {
    const { source, spec } = options;
    this.stepsPerEpoch = stepsPerEpoch(source.samples, globalBatchSize(spec.lanes));
    port.on('message', (message: FromThread) => {
      this.receive(message);
    });
    worker.on('error', (error) => {
      this.fail('BATCH_THREAD_FAILED', error.message);
    });
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        // The reason, if the thread could give one, is still in the port.
        this.drain();
        this.fail('BATCH_THREAD_FAILED', `the batch thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /**
   * Starts the thread; resolves when it is ready. Seek before the first `next`.
   *
   * @throws DataError BATCH_THREAD_FAILED, BATCH_TIMEOUT
   */
  static async start(options: LaneBatchesOptions): Promise<LaneBatches> {
    requireCount('depth', options.depth);
    const { port1, port2 } = new MessageChannel();
    const { height, width, channels, mean, standardDeviation } = options.manifest;
    const workerData: ThreadData = {
      port: port2,
      records: options.source.shared,
      statistics: { height, width, channels, mean, standardDeviation },
      spec: options.spec,
      depth: options.depth,
    };
    const entry = createRequire(import.meta.url).resolve('@skipring/data/batch-thread');
    // No inherited flags: a test runner's resolve conditions would lead to TypeScript sources.
    const execArgv: string[] = [];
    const transferList = [port2];
    const worker = new Worker(entry, { workerData, transferList, execArgv, name: 'batches' });
    const batches = new LaneBatches(options, worker, port1);
    try {
      await batches.started();
      return batches;
    } catch (error) {
      await batches.close();
      throw error;
    }
  }

  /** Time that `next` has waited for batches so far, in milliseconds. */
  get waitMs(): number {
    return this.waitedMs;
  }

  /**
   * Goes to a step: `next` yields `lanes` of this step, then of those that follow, also past the
   * epoch's end. What was made ahead for another position is dropped.
   *
   * @param lanes the lanes that this rank owns, in any order
   */
  seek(start: EpochStep, lanes: readonly number[]): void {
    requireIndex('epoch', start.epoch, 2 ** 32);
    requireIndex('stepInEpoch', start.stepInEpoch, this.stepsPerEpoch);
    for (const lane of lanes) requireIndex('lane', lane, this.options.spec.lanes.count);
    if (new Set(lanes).size !== lanes.length) {
      throw new DataError('INVALID_ARGUMENT', `lanes are ${lanes.join(', ')}; expected each once`);
    }
    this.positioned = lanes.length > 0;
    this.seekNumber += 1;
    this.numTaken = 0;
    this.ready.length = 0;
    const ascending = [...lanes].sort((a, b) => a - b);
    this.post({ kind: 'seek', seek: this.seekNumber, start, lanes: ascending });
  }

  /**
   * The next batch, which must be `lane`'s: lanes ascending, step by step. 0 samples where a short
   * last step leaves the lane empty. The arrays belong to the caller.
   *
   * @throws DataError LANE_ORDER, NOT_POSITIONED, BATCH_TIMEOUT, BATCH_THREAD_FAILED, CLOSED
   */
  async next(lane: number): Promise<LaneBatch> {
    if (this.failure?.code === 'CLOSED') throw this.failure;
    if (!this.positioned) {
      throw new DataError('NOT_POSITIONED', 'expected a seek with at least one lane before');
    }
    this.drain();
    const head = this.ready[0] ?? (await this.wait());
    if (head.lane !== lane) {
      throw new DataError(
        'LANE_ORDER',
        `lane is ${lane}; expected ${head.lane}, the next in order`,
      );
    }
    this.ready.shift();
    this.tellTaken();
    return head.batch;
  }

  /** Ends the thread; a waiting `next` rejects with CLOSED. Safe to call twice. */
  async close(): Promise<void> {
    this.fail('CLOSED', 'the batches are closed');
    this.port.close();
    await this.worker.terminate();
    await this.exited;
  }

  private async started(): Promise<void> {
    const timeoutMs = this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadline = performance.now() + timeoutMs;
    while (!this.running) {
      if (this.failure !== undefined) throw this.failure;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new DataError('BATCH_TIMEOUT', `not started within ${timeoutMs} ms`);
      await this.signalled(leftMs);
    }
  }

  /** Waits for the first ready batch; throws the latched failure, or BATCH_TIMEOUT. */
  private async wait(): Promise<ReadyBatch> {
    const timeoutMs = this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const begun = performance.now();
    try {
      for (;;) {
        if (this.failure !== undefined) throw this.failure;
        const head = this.ready[0];
        if (head !== undefined) return head;
        const leftMs = begun + timeoutMs - performance.now();
        if (leftMs <= 0) throw new DataError('BATCH_TIMEOUT', `no batch within ${timeoutMs} ms`);
        await this.signalled(leftMs);
      }
    } finally {
      this.waitedMs += performance.now() - begun;
    }
  }

  /** Resolves at the next message or failure, or after `leftMs`. */
  private signalled(leftMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Takes what has arrived without waiting for the event loop, which compute may have held up. */
  private drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.port) as { message: FromThread } | undefined;
      if (received === undefined) return;
      this.receive(received.message);
    }
  }

  private receive(message: FromThread): void {
    if (message.kind === 'ready') {
      this.running = true;
      this.wake?.();
    } else if (message.kind === 'failed') {
      this.fail('BATCH_THREAD_FAILED', `${message.code}: ${message.message}`);
    } else if (message.seek === this.seekNumber) {
      this.ready.push({ lane: message.lane, batch: message.batch });
      this.wake?.();
    }
  }

  /** Tells of half the depth at a time: every message wakes the thread, and the other half is there meanwhile. */
  private tellTaken(): void {
    this.numTaken += 1;
    if (this.numTaken < this.options.depth / 2) return;
    this.post({ kind: 'taken', seek: this.seekNumber, count: this.numTaken });
    this.numTaken = 0;
  }

  private post(message: ToThread): void {
    if (this.failure === undefined) this.port.postMessage(message);
  }

  /** Latches the first failure. */
  private fail(code: DataErrorCode, message: string): void {
    this.failure ??= new DataError(code, message);
    this.wake?.();
  }
}
