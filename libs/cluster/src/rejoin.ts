import { fits } from './fits.js';
import { holdStep } from './holders.js';
import { isHalting, isIdle, type ClusterState, type JobRun, type WorkerRecord } from './state.js';

// After a restart of the coordinator the members of a job come back one after the other, with states
// that may be further than its last checkpoint. So the job waits a while for them, and holds them.

/** Whom a job still waits for, in words; null once all are there, or its time is over. */
export function awaited(state: ClusterState, { job, queuedMs }: JobRun): string | null {
  if (state.nowMs - queuedMs >= state.options.rejoinGraceMs) return null;
  if (job.expected === 'unknown') return 'workers that have kept its state';
  const missing = job.expected.filter((id) => !state.workers.has(id));
  return missing.length === 0 ? null : missing.join(', ');
}

/** As `awaited`, until the first generation has gathered the states: later, none is missing. */
export function awaitedAtFirst(state: ClusterState, run: JobRun): string | null {
  return hasBegun(run) ? null : awaited(state, run);
}

function hasBegun({ fence }: JobRun): boolean {
  return fence !== null && fence.generation > 0;
}

/**
 * Waiting jobs get back the idle workers that have kept their state, the furthest first; so do those
 * that are halted while they wait, to have it stored.
 */
export function adopt(state: ClusterState): void {
  for (const worker of state.workers.values()) {
    const run = worker.held === null ? undefined : state.jobs.get(worker.held.jobId);
    if (run === undefined || !isIdle(worker)) continue;
    if (run.state === 'waiting' || (isHalting(run) && !hasBegun(run))) take(run, worker);
  }
}

function take(run: JobRun, worker: WorkerRecord): void {
  const { job } = run;
  const { spec, attempt } = job;
  const step = worker.held?.step ?? 0;
  if (!fits(worker.hello, spec) || step < (run.checkpointStep ?? 0)) return;
  run.fence ??= { jobId: job.id, attempt, generation: 0 };
  worker.jobId = job.id;
  const others = run.ranks.filter((id) => id !== worker.id);
  const isFurthest = step >= run.heldStep;
  holdStep(run, worker.id, step);
  run.ranks = isFurthest ? [worker.id, ...others] : [...others, worker.id];
}
