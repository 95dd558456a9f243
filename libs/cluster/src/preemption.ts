import { wantsSameWorkers } from './generations.js';
import { workersOf } from './leave-taking.js';
import { priorityOrder, type ClusterState, type JobRun, type WorkerRecord } from './state.js';

/** Members that a running job gives up, in rank order. */
export interface Sacrifice {
  readonly victim: JobRun;
  readonly given: readonly WorkerRecord[];
}

/**
 * Which members of running jobs of a lower priority go to this job, so that it gets `numWanted` more
 * workers; null when they are not enough. The lowest priority gives first, and of equal ones the
 * latest. All of them shrink to their minimum before one is stopped; that one gives up all members,
 * as it can't go on with fewer, and waits with its state stored.
 */
export function preemption(
  state: ClusterState,
  run: JobRun,
  numWanted: number,
): Sacrifice[] | null {
  const victims = [...state.jobs.values()]
    .filter((other) => canGive(other, run))
    .sort((a, b) => priorityOrder(b, a))
    .map((victim) => ({ victim, members: present(state, victim), numGiven: 0 }));
  let numLeft = numWanted;
  for (const entry of victims) {
    const numSpare = Math.max(0, entry.members.length - entry.victim.job.spec.workers.min);
    entry.numGiven = Math.min(numSpare, Math.max(0, numLeft));
    numLeft -= entry.numGiven;
  }
  for (const entry of victims) {
    if (numLeft <= 0) break;
    numLeft -= entry.members.length - entry.numGiven;
    entry.numGiven = entry.members.length;
  }
  if (numLeft > 0) return null;
  // The highest ranks leave: those that stay keep their order.
  return victims
    .filter(({ numGiven }) => numGiven > 0)
    .map(({ victim, members, numGiven }) => ({ victim, given: members.slice(-numGiven) }));
}

/** A job about to finish frees its workers by itself. */
function canGive(other: JobRun, run: JobRun): boolean {
  return (
    other.state === 'running' &&
    other.generation?.finished.size === 0 &&
    other.job.spec.priority < run.job.spec.priority &&
    wantsSameWorkers(other, run)
  );
}

/** Draining members will be no use to another job. */
function present(state: ClusterState, victim: JobRun): WorkerRecord[] {
  return workersOf(state, victim).filter(({ draining }) => !draining);
}
