import type { WebhookFailures } from '@skipring/redis';

/** So many tries in a row, over so long, and none of them delivered: nobody listens any more. */
const MIN_FAILURES = 20;
const MIN_FAILING_MS = 24 * 3_600_000;

/** Why a webhook is told nothing more; null while its receiver may come back. */
export function whyDead({ count, since }: WebhookFailures, nowMs = Date.now()): string | null {
  if (count < MIN_FAILURES || nowMs - Date.parse(since) < MIN_FAILING_MS) return null;
  return `${count} tries in a row have failed since ${since}`;
}
