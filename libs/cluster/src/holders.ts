import type { JobRun } from './state.js';

/**
 * A worker is known to have committed a step. A ring may break when some of its ranks have committed a
 * step and others not yet, so only those that tell of the newest hold it.
 */
export function holdStep(run: JobRun, workerId: string, step: number): void {
  if (step < run.heldStep) return;
  if (step > run.heldStep) run.holders.clear();
  run.heldStep = step;
  run.holders.add(workerId);
}
