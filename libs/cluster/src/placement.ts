import { beginGeneration, candidatesFor, regroup, wantsSameWorkers } from './generations.js';
import { leaveWaiting, workersOf } from './leave-taking.js';
import { maxWorkers, rendezvous } from './rendezvous.js';
import { setJobState, waitingRuns, type ClusterState, type JobRun } from './state.js';

/**
 * Gives workers to waiting jobs: highest priority first, then first come, first served. A job that
 * can't be placed does not hold up those behind it, so a job that asks for more workers than there
 * are never blocks the cluster.
 */
export function place(state: ClusterState): void {
  const waiting = waitingRuns(state);
  // Numbers of threads whose idle workers a job needs together with those about to be free.
  const reserved = new Set<number>();
  for (const [index, run] of waiting.entries()) {
    const { min, threads } = run.job.spec.workers;
    // A checkpoint is being stored: it is what the next members start from.
    if (run.leaving.size > 0 || reserved.has(threads)) continue;
    const survivors = workersOf(state, run);
    const counts = candidatesFor(state, run);
    const numMissing = min - survivors.length - counts.candidates.length;
    if (numMissing > 0 && borrow(state, run, waiting.slice(index + 1), numMissing)) {
      reserved.add(threads);
      continue;
    }
    const result = rendezvous({
      spec: run.job.spec,
      survivors: survivors.map(({ id }) => id),
      ...counts,
      onlyNeeded: false,
    });
    if (result.seats === null) setJobState(state, run, 'waiting', result.reason);
    else beginGeneration(state, run, result.seats, result.reason);
  }
}

/**
 * Frees workers that jobs behind this one hold idle: a last resort, or two waiting jobs could hold
 * each other's missing worker for ever. True when enough workers are about to be free.
 */
function borrow(
  state: ClusterState,
  run: JobRun,
  behind: readonly JobRun[],
  numMissing: number,
): boolean {
  const lenders = behind.filter((other) => wantsSameWorkers(other, run));
  const numHeld = lenders.flatMap((other) => workersOf(state, other)).length;
  let numWanted = numMissing - numStopping(state, run);
  if (numWanted > numHeld) return false;
  for (const other of lenders) {
    if (numWanted <= 0) break;
    const lent = workersOf(state, other).slice(-numWanted);
    numWanted -= lent.length;
    leaveWaiting(state, other, lent, `workers are lent to job ${run.job.id}`);
  }
  setJobState(state, run, 'waiting', 'waits for workers that are about to be free');
  return true;
}

/** Workers that fit a job and will be idle once they have answered `stop`. */
function numStopping(state: ClusterState, { job }: JobRun): number {
  return [...state.workers.values()].filter(
    ({ hello, stopping, draining }) =>
      hello.threads === job.spec.workers.threads && stopping !== null && !draining,
  ).length;
}

/** Idle workers join running jobs that may have more, when no waiting job could use them. */
export function grow(state: ClusterState): void {
  for (const run of state.jobs.values()) {
    const { generation } = run;
    if (run.state !== 'running' || generation?.phase !== 'running') continue;
    if (generation.broken || generation.finished.size > 0) continue;
    if (generation.members.length >= maxWorkers(run.job.spec)) continue;
    if (state.nowMs - generation.phaseSinceMs < state.options.growthIntervalMs) continue;
    if (waitingRuns(state).some((other) => wantsSameWorkers(other, run))) continue;
    const { candidates } = candidatesFor(state, run);
    if (candidates.length > 0) regroup(state, run, 'idle workers join');
  }
}
