import type { Redis } from 'ioredis';
import { run } from './errors.js';
import type { Keys } from './keys.js';
import { leadershipLost } from './leader-lease.js';
import { NOT_LEADER } from './scripts.js';

/** Runs scripts that only the leader may run. */
export class LeaderWrites {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    /** Of the leader that writes; null: writes are not fenced. */
    readonly leaderNumber: number | null,
  ) {}

  /** @throws StoreError LEADERSHIP_LOST once there is a later leader */
  async write(
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const { leaderNumber } = this;
    const all = [this.keys.leaderNumber, ...keys, leaderNumber ?? '', ...values];
    const reply = await run(() => this.redis.eval(script, keys.length + 1, ...all));
    if (reply === NOT_LEADER && leaderNumber !== null) throw leadershipLost(leaderNumber);
    return reply;
  }
}
