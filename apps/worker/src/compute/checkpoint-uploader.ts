import { EventEmitter, once } from 'node:events';
import { linkedSignal, type Fence } from '@skipring/protocol';
import { CoordinatorRequestError, type CoordinatorHttp } from './coordinator-http.js';

/** From when the coordinator begins a generation, of which a member hears within a step or so. */
const ENTER_DEADLINE_MS = 10_000;

/**
 * Uploads for the newest generation: a state that was committed in the one before is one of the next
 * as well. The fence keeps a worker out that is in neither. The coordinator may have begun a generation
 * of which this worker is still to hear: then an upload that was refused waits for that.
 */
export class CheckpointUploader {
  private newest: Fence | null = null;
  private readonly generations = new EventEmitter<{ entered: [] }>();

  constructor(
    private readonly put: CoordinatorHttp['storeCheckpoint'],
    private readonly deadlineMs = ENTER_DEADLINE_MS,
  ) {}

  enter(fence: Fence): void {
    this.newest = fence;
    this.generations.emit('entered');
  }

  /** Throws what the last upload threw. */
  async upload(step: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (;;) {
      const fence = this.newest;
      if (fence === null) throw new Error('this worker is in no generation');
      try {
        await this.put(fence, step, bytes, signal);
        return;
      } catch (error) {
        const isStale = error instanceof CoordinatorRequestError && error.code === 'HTTP_409';
        if (!isStale) throw error;
        await this.entered(fence, signal).catch(() => {
          throw error;
        });
      }
    }
  }

  /** Resolves when the worker is in another generation than this; rejects when it enters none soon. */
  private async entered(after: Fence, signal: AbortSignal): Promise<void> {
    if (this.newest !== after) return;
    const ended = linkedSignal([signal, AbortSignal.timeout(this.deadlineMs)]);
    await once(this.generations, 'entered', { signal: ended.signal }).finally(ended.release);
  }
}
