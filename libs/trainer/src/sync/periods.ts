import type { JobSpec } from '@skipring/protocol';

// A period is the steps between two commits: one step where gradients are reduced, and up to
// `sync.everySteps` where parameters are averaged. Where periods begin and end is a function of the
// spec and the job's length alone; positions that are committed, stored or started from lie between
// two periods.

/** Whether the gradients of the step after `step` committed ones are reduced over all lanes. */
export function isReduced({ sync }: Pick<JobSpec, 'sync'>, step: number): boolean {
  return sync.mode === 'allReduce' || step < sync.warmupSteps;
}

/** Steps of the period that begins after `step` committed steps. */
export function nextPeriod({ sync }: Pick<JobSpec, 'sync'>, step: number, total: number): number {
  if (sync.mode === 'allReduce' || isReduced({ sync }, step)) return 1;
  return Math.min(sync.everySteps, total - step);
}

/** Steps of the period that ended with step `step`; 0 at the beginning. */
export function lastPeriod({ sync }: Pick<JobSpec, 'sync'>, step: number): number {
  if (sync.mode === 'allReduce' || step <= sync.warmupSteps) return Math.min(1, step);
  // Only the job's last period is shorter.
  return (step - sync.warmupSteps) % sync.everySteps || sync.everySteps;
}

/** Whether a multiple of `every` lies in the `length` steps that end with `step`. */
export function passedMultiple(every: number, step: number, length: number): boolean {
  return Math.floor(step / every) > Math.floor((step - length) / every);
}
