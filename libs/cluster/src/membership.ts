import { finishIfDone, releaseIfDrained } from './endings.js';
import { countBroken, regroup } from './generations.js';
import { leaveWaiting } from './leave-taking.js';
import type { Hello } from './messages.js';
import type { ClusterState, JobRun, WorkerRecord } from './state.js';

export function connect(state: ClusterState, hello: Hello): void {
  const { workerId: id } = hello;
  if (state.workers.has(id)) remove(state, id, 'it connected anew');
  state.workers.set(id, {
    id,
    hello,
    connectedMs: state.nowMs,
    lastHeartbeatMs: state.nowMs,
    held: hello.held,
    draining: false,
    leavesAtMs: null,
    loading: null,
    released: false,
    jobId: null,
    stopping: null,
    links: new Map(),
  });
}

/** Declares a worker dead and closes its connection. */
export function drop(state: ClusterState, workerId: string, reason: string): void {
  if (!state.workers.has(workerId)) return;
  state.effects.push({ type: 'disconnect', workerId, reason });
  remove(state, workerId, reason);
}

/** Forgets a worker whose connection has ended; its job goes on without it. */
export function remove(state: ClusterState, workerId: string, reason: string): void {
  const worker = state.workers.get(workerId);
  if (worker === undefined) return;
  state.workers.delete(workerId);
  for (const { links } of state.workers.values()) links.delete(workerId);
  for (const run of state.jobs.values()) {
    run.holders.delete(workerId);
    run.leaving.delete(workerId);
  }
  const run = worker.jobId === null ? undefined : state.jobs.get(worker.jobId);
  if (run !== undefined) loseMember(state, run, worker, reason);
}

function loseMember(state: ClusterState, run: JobRun, worker: WorkerRecord, reason: string): void {
  const { generation } = run;
  const rank = generation?.members.findIndex(({ workerId }) => workerId === worker.id) ?? -1;
  if (generation === null || rank < 0) return;
  state.effects.push({ type: 'memberLost', jobId: run.job.id, workerId: worker.id });
  if (generation.finished.has(0)) {
    generation.absent.add(rank);
    finishIfDone(state, run);
    return;
  }
  const cause = `worker ${worker.id} is lost (${reason})`;
  // Loss while preparing is not the job's doing as a rule: many workers may vanish at once.
  if (generation.phase === 'running' && countBroken(state, run, cause)) return;
  regroup(state, run, cause);
}

/** The worker gets no more work; a running job goes on without it. */
export function drain(
  state: ClusterState,
  workerId: string,
  reason: string,
  graceMs: number | null = null,
): void {
  const worker = state.workers.get(workerId);
  if (worker === undefined || worker.draining) return;
  worker.draining = true;
  worker.leavesAtMs = graceMs === null ? null : state.nowMs + graceMs;
  releaseIfDrained(state, worker);
  const run = worker.jobId === null ? undefined : state.jobs.get(worker.jobId);
  if (run === undefined) return;
  // A job about to finish frees its workers by itself.
  if (run.generation !== null && run.generation.finished.size > 0) return;
  if (run.generation === null) {
    leaveWaiting(state, run, [worker], `worker ${workerId} leaves (${reason})`);
    return;
  }
  regroup(state, run, `worker ${workerId} leaves (${reason})`);
}

/** A worker has answered `stop`. */
export function stopped(state: ClusterState, worker: WorkerRecord): void {
  worker.stopping = null;
  for (const run of state.jobs.values()) run.leaving.delete(worker.id);
  releaseIfDrained(state, worker);
}
