import type { Redis } from 'ioredis';
import { run } from './errors.js';
import { Keys } from './keys.js';
import { NOTE_JOB_BYTES } from './scripts.js';

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

  /** Of a job's checkpoints, in place of what was noted before; nothing of a job that was removed. */
  async noteJob(owner: string, jobId: string, bytes: number): Promise<void> {
    const keys = [this.keys.job(jobId), this.keys.storage(owner)];
    await run(() => this.redis.eval(NOTE_JOB_BYTES, keys.length, ...keys, jobId, bytes));
  }

  /** Of a prepared data set. */
  async noteDataSet(owner: string, name: string, bytes: number): Promise<void> {
    await run(() => this.redis.hset(this.keys.storage(owner), fieldOf(name), bytes));
  }

  /** A data set takes no room any more. */
  async forgetDataSet(owner: string, name: string): Promise<void> {
    await run(() => this.redis.hdel(this.keys.storage(owner), fieldOf(name)));
  }

  /** All that an owner has stored. */
  async of(owner: string): Promise<number> {
    const values = await run(() => this.redis.hvals(this.keys.storage(owner)));
    return values.reduce((sum, bytes) => sum + Number(bytes), 0);
  }
}

/** A colon is in no id of a job. */
function fieldOf(dataSet: string): string {
  return `data-set:${dataSet}`;
}
