import { jobEventSchema, type JobEvent } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import type { Keys } from './keys.js';

/** What has happened to jobs. */
export class JobEvents {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** A job's events after the one with id `afterId` (null: from the oldest kept), oldest first. */
  async of(id: string, afterId: string | null, limit: number): Promise<JobEvent[]> {
    return this.read(this.keys.events(id), afterId, limit);
  }

  /** Changes of state of all jobs after the one with id `afterId` (null: the oldest kept), in order. */
  async stateChanges(afterId: string | null, limit: number): Promise<JobEvent[]> {
    return this.read(this.keys.stateChanges, afterId, limit);
  }

  /** The id of the newest change of state; null when there was none. */
  async lastStateChange(): Promise<string | null> {
    const entries = await run(() =>
      this.redis.xrevrange(this.keys.stateChanges, '+', '-', 'COUNT', 1),
    );
    return entries[0]?.[0] ?? null;
  }

  private async read(key: string, afterId: string | null, limit: number): Promise<JobEvent[]> {
    const start = afterId === null ? '-' : `(${afterId}`;
    const entries = await run(() => this.redis.xrange(key, start, '+', 'COUNT', limit));
    return entries.map(([eventId, fields]) =>
      jobEventSchema.parse({ ...(JSON.parse(fields[1] ?? '{}') as object), id: eventId }),
    );
  }
}
