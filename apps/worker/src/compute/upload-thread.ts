import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Fence } from '@skipring/protocol';
import type { Snapshot } from '@skipring/trainer';
import { RemoteThreadError } from '../thread-error.js';
import type {
  CoordinatorAddress,
  FromCheckpointThread,
  ToCheckpointThread,
} from './checkpoint-messages.js';

interface Pending {
  resolve(stored: { modelSha256: string }): void;
  reject(error: Error): void;
}

/**
 * Encodes, hashes and uploads snapshots on a thread of its own, which starts with the first: for a
 * large model that takes longer than a step.
 */
export class UploadThread {
  private thread: Worker | null = null;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private fence: Fence | null = null;

  constructor(
    private readonly address: CoordinatorAddress,
    private readonly entry: string | URL = createRequire(import.meta.url).resolve(
      '@skipring/worker/checkpoint-thread',
    ),
  ) {}

  /** The generation that checkpoints are stored for from now on. */
  enter(fence: Fence): void {
    this.fence = fence;
    if (this.thread !== null) this.post(this.thread, { kind: 'enter', fence });
  }

  /** Takes the snapshot's memory over. Resolves when the coordinator has stored it. */
  store(snapshot: Snapshot, signal: AbortSignal): Promise<{ modelSha256: string }> {
    const thread = (this.thread ??= this.start());
    const id = this.nextId++;
    const memory = new Set([...snapshot.tensors.values()].map(({ values }) => values.buffer));
    const transferable = [...memory].filter((buffer) => buffer instanceof ArrayBuffer);
    const onAbort = (): void => {
      this.post(thread, { kind: 'abort', id });
    };
    const stored = new Promise<{ modelSha256: string }>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.post(thread, { kind: 'store', id, snapshot }, transferable);
      signal.addEventListener('abort', onAbort);
    });
    // The signal may live as long as the connection, over many jobs.
    return stored.finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    const { thread } = this;
    this.fail(new Error('the checkpoint thread is closed'));
    await thread?.terminate();
  }

  private start(): Worker {
    const thread = new Worker(this.entry, {
      workerData: this.address,
      name: 'skipring-checkpoint',
    });
    thread.on('message', ({ id, modelSha256, error }: FromCheckpointThread) => {
      const pending = this.pending.get(id);
      this.pending.delete(id);
      if (error === null) pending?.resolve({ modelSha256 });
      else pending?.reject(new RemoteThreadError(error));
    });
    thread.on('error', (error) => {
      this.fail(error);
    });
    thread.unref();
    if (this.fence !== null) this.post(thread, { kind: 'enter', fence: this.fence });
    return thread;
  }

  private post(
    thread: Worker,
    message: ToCheckpointThread,
    transfer: readonly ArrayBuffer[] = [],
  ): void {
    thread.postMessage(message, [...transfer]);
  }

  /** The next checkpoint has a new thread. */
  private fail(error: Error): void {
    this.thread = null;
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
  }
}
