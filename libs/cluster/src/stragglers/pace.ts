import type { JobRun } from '../state.js';
import { isFull, laneTimes } from './watch.js';

/** Workers of a job whose pace is known: those that trained last. */
const MAX_PACES = 1_024;

/** Keeps how fast the members of the present generation are, for the lanes of the next ones. */
export function notePace(run: JobRun): void {
  const { generation } = run;
  if (generation === null || generation.members.length < 2 || !isFull(generation.watch)) return;
  for (const [rank, ms] of laneTimes(generation.watch).entries()) {
    const { workerId } = generation.members[rank] ?? {};
    if (workerId === undefined || ms <= 0) continue;
    run.laneMs.delete(workerId);
    run.laneMs.set(workerId, ms);
  }
  for (const oldest of run.laneMs.keys()) {
    if (run.laneMs.size <= MAX_PACES) break;
    run.laneMs.delete(oldest);
  }
}

/** Time for a lane in milliseconds, by worker, where lanes are to be shared by it; else none is known. */
export function paceOf({ job, laneMs }: JobRun): ReadonlyMap<string, number> {
  return job.spec.workers.stragglers === 'rebalance' ? laneMs : new Map();
}
