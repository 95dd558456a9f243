import type { Redis } from 'ioredis';
import { run } from './errors.js';
import { Keys } from './keys.js';

/**
 * How much owners have stored, for their quotas: a number of bytes for each job with checkpoints and each
 * data set. All calls throw STORE_UNAVAILABLE when Redis is away.
 */
export class StoredBytes {
  private readonly keys: Keys;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
  ) {
    this.keys = new Keys(keyPrefix);
  }

  /** Of a job's checkpoints, in place of what was noted before. */
  async noteJob(owner: string, jobId: string, bytes: number): Promise<void> {
    await this.note(owner, jobId, bytes);
  }

  /** Of a prepared data set. */
  async noteDataSet(owner: string, name: string, bytes: number): Promise<void> {
    // A colon is in no id of a job.
    await this.note(owner, `data-set:${name}`, bytes);
  }

  /** All that an owner has stored. */
  async of(owner: string): Promise<number> {
    const values = await run(() => this.redis.hvals(this.keys.storage(owner)));
    return values.reduce((sum, bytes) => sum + Number(bytes), 0);
  }

  private async note(owner: string, what: string, bytes: number): Promise<void> {
    await run(() => this.redis.hset(this.keys.storage(owner), what, bytes));
  }
}
