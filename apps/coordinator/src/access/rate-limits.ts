import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpProblem } from '../http/problem.js';
import type { Principal } from './principal.js';

/** Requests of each token in each second. One coordinator serves at a time, so memory is enough. */
export class RateLimits {
  /** By the number of requests allowed. */
  private readonly limiters = new Map<number, RateLimiterMemory>();

  /** Throws HttpProblem RATE_LIMITED, with the time after which to come again. */
  async consume({ name, limits: { requestsPerSecond } }: Principal): Promise<void> {
    if (requestsPerSecond === null) return;
    try {
      await this.limiter(requestsPerSecond).consume(name);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw new HttpProblem(
        'RATE_LIMITED',
        `token ${name} may send ${requestsPerSecond} requests a second`,
        [],
        { 'retry-after': String(Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000))) },
      );
    }
  }

  private limiter(points: number): RateLimiterMemory {
    const known = this.limiters.get(points) ?? new RateLimiterMemory({ points, duration: 1 });
    this.limiters.set(points, known);
    return known;
  }
}
