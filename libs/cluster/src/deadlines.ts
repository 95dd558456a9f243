import { countBroken, regroup } from './generations.js';
import { drop } from './membership.js';
import type { ClusterState, Generation, JobRun } from './state.js';

/** Ends every wait whose time is over. */
export function enforceDeadlines(state: ClusterState): void {
  for (const worker of [...state.workers.values()]) {
    const silentMs = state.nowMs - worker.lastHeartbeatMs;
    if (silentMs > state.options.heartbeatTimeoutMs) {
      drop(state, worker.id, `no heartbeat for ${Math.round(silentMs)} ms`);
    } else if (worker.stopping !== null && state.nowMs >= worker.stopping.deadlineMs) {
      drop(state, worker.id, `no answer to stop within ${state.options.stopDeadlineMs} ms`);
    }
  }
  for (const run of [...state.jobs.values()]) {
    const { generation } = run;
    if (generation === null || run.state !== 'running') continue;
    if (generation.phase === 'preparing') enforceReady(state, run, generation);
    else enforceFinish(state, run, generation);
    if (run.regroup !== null && state.nowMs >= run.regroup.atMs && state.jobs.has(run.job.id)) {
      regroup(state, run, run.regroup.reason);
    }
  }
}

/** Members that are not ready in time are disconnected: connected anew, they may join again. */
function enforceReady(state: ClusterState, run: JobRun, generation: Generation): void {
  const { readyDeadlineMs } = state.options;
  if (state.nowMs - generation.phaseSinceMs < readyDeadlineMs) return;
  const late = generation.members
    .filter((_, rank) => !generation.ready.has(rank))
    .map(({ workerId }) => workerId);
  const cause = `not ready within ${readyDeadlineMs} ms: ${late.join(', ')}`;
  if (countBroken(state, run, cause)) return;
  dropAll(state, run, late, cause);
}

/** Ranks that do not finish after another did are disconnected. */
function enforceFinish(state: ClusterState, run: JobRun, generation: Generation): void {
  if (state.nowMs < generation.finishDeadlineMs) return;
  const late = generation.members
    .filter((_, rank) => !generation.finished.has(rank) && !generation.absent.has(rank))
    .map(({ workerId }) => workerId);
  const cause = `not finished within ${state.options.finishDeadlineMs} ms: ${late.join(', ')}`;
  dropAll(state, run, late, cause);
}

/** Takes all of them out of the job first, so that it regroups once and not for each. */
function dropAll(
  state: ClusterState,
  run: JobRun,
  workerIds: readonly string[],
  cause: string,
): void {
  const [first, ...others] = workerIds;
  for (const id of others) {
    const worker = state.workers.get(id);
    if (worker !== undefined) worker.jobId = null;
    markAbsent(run, id);
    drop(state, id, cause);
  }
  if (first !== undefined) drop(state, first, cause);
}

function markAbsent({ generation }: JobRun, workerId: string): void {
  const rank = generation?.members.findIndex((member) => member.workerId === workerId) ?? -1;
  if (rank > 0 && generation?.finished.has(0) === true) generation.absent.add(rank);
}
