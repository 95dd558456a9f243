import type { JobRun } from '../state.js';

// A worker that was replaced is idle, and would be the next spare at once.

/** The job takes this worker back only when it can't do without it, until it has made this step. */
export function bench(run: JobRun, workerId: string, untilStep: number): void {
  for (const [id, step] of run.benched) if (step <= run.committedStep) run.benched.delete(id);
  run.benched.set(workerId, untilStep);
}

export function isBenched({ benched, committedStep }: JobRun, workerId: string): boolean {
  return (benched.get(workerId) ?? 0) > committedStep;
}
