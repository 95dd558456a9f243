import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { StoreError, toStoreError } from './errors.js';
import { Keys } from './keys.js';
import { ACQUIRE_LEASE, RELEASE_LEASE, RENEW_LEASE } from './scripts.js';

export interface LeaseOptions {
  readonly redis: Redis;
  readonly keyPrefix: string;
  /** Who asks, for those who wait: host and process. */
  readonly holder: string;
  /** A lease that is not renewed for this long is free. */
  readonly ttlMs?: number;
}

/** Who leads instead. */
export interface OtherLeader {
  readonly holder: string;
  /** Until the lease is free, unless it is renewed. */
  readonly remainingMs: number;
}

/** Longest wait for the lease of a leader that was killed. */
export const LEASE_TTL_MS = 5_000;

/**
 * The right to lead: to run the jobs below a key prefix. Each leader has a number of its own, larger
 * than those before it; a store that was given the number refuses to write once there is a larger
 * one. While Redis is away nobody else can take the lease there, so its holder goes on and renews it
 * as soon as Redis is back; it is lost when another has led meanwhile.
 */
export class LeaderLease {
  /** Resolves when another leads. */
  readonly lost: Promise<StoreError>;
  private tellLost: (error: StoreError) => void = () => undefined;
  private timer: NodeJS.Timeout | null = null;
  private isReleased = false;

  private constructor(
    private readonly options: LeaseOptions,
    private readonly token: string,
    /** The fencing number. */
    readonly number: number,
  ) {
    this.lost = new Promise((resolve) => (this.tellLost = resolve));
    this.renewLater();
  }

  /** Takes the lease when it is free. Throws STORE_UNAVAILABLE when Redis does not answer. */
  static async acquire(options: LeaseOptions): Promise<LeaderLease | OtherLeader> {
    const token = `${options.holder} ${randomUUID()}`;
    const [number, remainingMs, other] = (await evaluate(options, ACQUIRE_LEASE, [
      token,
      ttlOf(options),
    ])) as [number, number, string];
    if (number > 0) return new LeaderLease(options, token, number);
    return { holder: other.replace(/ \S+$/, ''), remainingMs };
  }

  /** Gives the lease up at once, so that another need not wait for its end. */
  async release(): Promise<void> {
    this.isReleased = true;
    if (this.timer !== null) clearTimeout(this.timer);
    // Without a connection it runs out by itself.
    if (this.options.redis.status !== 'ready') return;
    await evaluate(this.options, RELEASE_LEASE, [this.token]);
  }

  private renewLater(): void {
    this.timer = setTimeout(() => void this.renew(), ttlOf(this.options) / 5);
    this.timer.unref();
  }

  private async renew(): Promise<void> {
    const { options, token, number } = this;
    const isHeld = await evaluate(options, RENEW_LEASE, [token, ttlOf(options), number]).then(
      (answer) => answer === 1,
      // Redis is away: whether another leads is not known before it is back.
      () => true,
    );
    if (this.isReleased) return;
    if (isHeld) this.renewLater();
    else this.tellLost(leadershipLost(number));
  }
}

export function leadershipLost(number: number): StoreError {
  return new StoreError(
    'LEADERSHIP_LOST',
    `another coordinator leads: the lease of leader ${number} was taken over, or Redis lost its data`,
  );
}

function ttlOf({ ttlMs = LEASE_TTL_MS }: LeaseOptions): number {
  return ttlMs;
}

async function evaluate(
  { redis, keyPrefix }: LeaseOptions,
  script: string,
  values: (string | number)[],
): Promise<unknown> {
  const keys = new Keys(keyPrefix);
  try {
    return await redis.eval(script, 2, keys.leader, keys.leaderNumber, ...values);
  } catch (error) {
    throw toStoreError(error);
  }
}
