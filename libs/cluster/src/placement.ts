import { fits, settingsOf } from './fits.js';
import {
  beginGeneration,
  candidatesFor,
  isWantedElsewhere,
  regroup,
  wantsSameWorkers,
} from './generations.js';
import { askToLoad, hasFailed, hasLoaded } from './loading.js';
import { leaveWaiting, workersOf } from './leave-taking.js';
import { awaited } from './rejoin.js';
import { maxWorkers, rendezvous } from './rendezvous.js';
import { preemption } from './preemption.js';
import { isBenched } from './stragglers/bench.js';
import { paceOf } from './stragglers/pace.js';
import { setJobState, waitingRuns, type ClusterState, type JobRun } from './state.js';

/**
 * Gives workers to waiting jobs: highest priority first, then first come, first served. A job that
 * can't be placed does not hold up those behind it, so a job that asks for more workers than there
 * are never blocks the cluster.
 */
export function place(state: ClusterState): void {
  const waiting = waitingRuns(state);
  // By the settings of workers: the job that needs the idle workers together with those about to be free.
  const reserved = new Map<string, string>();
  for (const [index, run] of waiting.entries()) {
    const { spec } = run.job;
    const { min } = spec.workers;
    // A checkpoint is being stored: it is what the next members start from.
    if (run.leaving.size > 0) continue;
    const missing = awaited(state, run);
    if (missing !== null) {
      setJobState(state, run, 'waiting', `waits for ${missing} to come back`);
      continue;
    }
    const first = reserved.get(settingsOf(spec));
    if (first !== undefined) {
      setJobState(state, run, 'waiting', `waits behind job ${first}, which gets the next workers`);
      continue;
    }
    const survivors = workersOf(state, run);
    const counts = candidatesFor(state, run);
    const numMissing = min - survivors.length - counts.candidates.length;
    if (numMissing > 0 && borrow(state, run, waiting.slice(index + 1), numMissing)) {
      reserved.set(settingsOf(spec), run.job.id);
      continue;
    }
    const result = rendezvous({
      spec: run.job.spec,
      survivors: survivors.map(({ id }) => id),
      ...counts,
      numWelcome: counts.candidates.filter((id) => !isBenched(run, id)).length,
      laneMs: paceOf(run),
    });
    if (result.seats === null) setJobState(state, run, 'waiting', result.reason);
    else beginGeneration(state, run, result.seats, result.reason);
  }
}

/**
 * Frees workers for a job, as a last resort: first those that waiting jobs behind it hold idle, or two
 * of them could hold each other's missing worker for ever; then members of running jobs of a lower
 * priority. True when enough workers are about to be free; nothing is taken that would not be enough.
 */
function borrow(
  state: ClusterState,
  run: JobRun,
  behind: readonly JobRun[],
  numMissing: number,
): boolean {
  const lenders = behind.filter((other) => wantsSameWorkers(other, run));
  const held = lenders.flatMap((other) => workersOf(state, other)).length;
  const numWanted = numMissing - numStopping(state, run);
  const sacrifices = numWanted > held ? preemption(state, run, numWanted - held) : [];
  if (sacrifices === null) return false;
  let numLeft = numWanted;
  for (const other of lenders) {
    if (numLeft <= 0) break;
    const lent = workersOf(state, other).slice(-numLeft);
    numLeft -= lent.length;
    leaveWaiting(state, other, lent, `workers are lent to job ${run.job.id}`);
  }
  for (const { victim, given } of sacrifices) {
    regroup(state, victim, `job ${run.job.id} of a higher priority takes workers`, given);
  }
  setJobState(state, run, 'waiting', 'waits for workers that are about to be free');
  return true;
}

/** Workers that fit a job and will be idle once they have answered `stop`. */
function numStopping(state: ClusterState, { job }: JobRun): number {
  return [...state.workers.values()].filter(
    ({ hello, stopping, draining }) => fits(hello, job.spec) && stopping !== null && !draining,
  ).length;
}

/**
 * Idle workers join running jobs that may have more, when no waiting job could use them: they load the
 * job first, and join all in one generation.
 */
export function grow(state: ClusterState): void {
  for (const run of state.jobs.values()) {
    const { generation } = run;
    if (run.state !== 'running' || generation?.phase !== 'running') continue;
    if (generation.broken || generation.finished.size > 0) continue;
    if (generation.members.length >= maxWorkers(run.job.spec)) continue;
    if (isWantedElsewhere(state, run)) continue;
    const { candidates } = candidatesFor(state, run);
    const numMissing = maxWorkers(run.job.spec) - generation.members.length;
    const joining = candidates
      .filter((id) => !hasFailed(state, run, id) && !isBenched(run, id))
      .slice(0, numMissing);
    askToLoad(state, run, joining);
    if (state.nowMs - generation.phaseSinceMs < state.options.growthIntervalMs) continue;
    const isReady = joining.some((id) => hasLoaded(state, run, id));
    if (isReady) regroup(state, run, 'workers join that have loaded the job');
  }
}
