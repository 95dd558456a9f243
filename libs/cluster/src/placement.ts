import { workersOf } from './endings.js';
import { beginGeneration, candidatesFor, regroup, wantsSameWorkers } from './generations.js';
import { maxWorkers, rendezvous } from './rendezvous.js';
import { setJobState, waitingRuns, type ClusterState, type JobRun } from './state.js';

/**
 * Gives workers to waiting jobs: highest priority first, then first come, first served. A job that
 * can't be placed does not hold up those behind it, so a job that asks for more workers than there
 * are never blocks the cluster.
 */
export function place(state: ClusterState): void {
  const waiting = waitingRuns(state);
  for (const [index, run] of waiting.entries()) {
    // A checkpoint is being stored: it is what the next members start from.
    if (run.leaving.size > 0) continue;
    const survivors = workersOf(state, run).filter(({ draining }) => !draining);
    const counts = candidatesFor(state, run);
    // Workers that a job behind this one holds idle are lent as a last resort, or two waiting jobs
    // could hold each other's missing worker for ever.
    const numMissing = run.job.spec.workers.min - survivors.length - counts.candidates.length;
    const held = numMissing > 0 ? heldBehind(state, waiting.slice(index + 1), run) : [];
    const result = rendezvous({
      spec: run.job.spec,
      survivors: survivors.map(({ id }) => id),
      ...counts,
      candidates: [...counts.candidates, ...held.slice(0, Math.max(0, numMissing))],
      onlyNeeded: false,
    });
    if (result.seats === null) setJobState(state, run, 'waiting', result.reason);
    else beginGeneration(state, run, result.seats, result.reason);
  }
}

function heldBehind(state: ClusterState, behind: readonly JobRun[], run: JobRun): string[] {
  return behind
    .filter((other) => wantsSameWorkers(other, run))
    .flatMap((other) => workersOf(state, other))
    .filter(({ draining }) => !draining)
    .map(({ id }) => id);
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
