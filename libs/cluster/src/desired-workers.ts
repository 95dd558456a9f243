import type { AttemptState } from '@skipring/protocol';
import { maxWorkers } from './rendezvous.js';
import { priorityOrder, type JobRun } from './state.js';

/** What one job asks of a pool of workers that all have the same number of threads. */
export interface WorkerDemand {
  readonly threads: number;
  readonly state: AttemptState;
  readonly min: number;
  /** No more than it has lanes. */
  readonly max: number;
  /** Members of its generation. */
  readonly numMembers: number;
}

/**
 * How many workers an autoscaler should run, by number of threads; a number that no job asks for is
 * left out. Jobs keep the members they have. Then the waiting jobs get their minimum in the order
 * given, then all of them grow to their maximum, so that growth never delays a start. A job whose
 * minimum is beyond `limit` could not start anyway, and gets none.
 * @param demands in the order in which the jobs get workers
 * @param limit the most workers of one number of threads that may be asked for
 */
export function desiredWorkers(
  demands: readonly WorkerDemand[],
  limit: number,
): ReadonlyMap<number, number> {
  const pools = new Map<number, WorkerDemand[]>();
  for (const demand of demands) {
    pools.set(demand.threads, [...(pools.get(demand.threads) ?? []), demand]);
  }
  return new Map([...pools].map(([threads, pool]) => [threads, poolSize(pool, limit)]));
}

function poolSize(pool: readonly WorkerDemand[], limit: number): number {
  let total = pool.reduce((sum, { numMembers }) => sum + numMembers, 0);
  const growing: { readonly max: number; readonly granted: number }[] = [];
  for (const { state, min, max, numMembers } of pool) {
    if (state === 'running') growing.push({ max, granted: numMembers });
    if (state !== 'waiting' || total + min > limit) continue;
    total += min;
    growing.push({ max, granted: min });
  }
  for (const { max, granted } of growing) {
    total += Math.max(0, Math.min(max - granted, limit - total));
  }
  return total;
}

/** The demands of these jobs, in the order in which they get workers. */
export function demandsOf(runs: Iterable<JobRun>): WorkerDemand[] {
  return [...runs].sort(priorityOrder).map(({ job: { spec }, state, generation }) => ({
    threads: spec.workers.threads,
    state,
    min: spec.workers.min,
    max: maxWorkers(spec),
    numMembers: generation?.members.length ?? 0,
  }));
}
