import type { JobSpec } from '@skipring/protocol';

const MAX_BACKOFF_MS = 3_600_000;

/**
 * How long to wait before the next attempt, in milliseconds: doubling, at most an hour; null when
 * no attempt is left.
 * @param attemptsMade since the job was submitted or resumed, at least 1
 */
export function retryDelayMs(
  { limit, backoffMs }: JobSpec['retries'],
  attemptsMade: number,
): number | null {
  if (attemptsMade > limit) return null;
  return Math.min(backoffMs * 2 ** (attemptsMade - 1), MAX_BACKOFF_MS);
}
