import { periodSpec, type JobSpec } from '@skipring/protocol';

// A period is the steps between two commits: one step where gradients are reduced whole, up to
// `sync.everySteps` where parameters are averaged, and up to `compression.fullEverySteps` where
// gradients are compressed. Where periods begin and end is a function of the spec and the job's length
// alone; positions that are committed, stored or started from lie between two periods.

/** Whether the step after `step` committed ones is reduced and committed by itself. */
export function isReduced({ sync }: Pick<JobSpec, 'sync'>, step: number): boolean {
  const period = periodSpec(sync);
  return period === null || step < period.warmupSteps;
}

/** Steps of the period that begins after `step` committed steps. */
export function nextPeriod({ sync }: Pick<JobSpec, 'sync'>, step: number, total: number): number {
  const period = periodSpec(sync);
  if (period === null || step < period.warmupSteps) return 1;
  return Math.min(period.everySteps, total - step);
}

/** Steps of the period that ended with step `step`; 0 at the beginning. */
export function lastPeriod({ sync }: Pick<JobSpec, 'sync'>, step: number): number {
  const period = periodSpec(sync);
  if (period === null || step <= period.warmupSteps) return Math.min(1, step);
  // Only the job's last period is shorter.
  return (step - period.warmupSteps) % period.everySteps || period.everySteps;
}

/** Whether a multiple of `every` lies in the `length` steps that end with `step`. */
export function passedMultiple(every: number, step: number, length: number): boolean {
  return Math.floor(step / every) > Math.floor((step - length) / every);
}
