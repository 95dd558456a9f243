import type { Fence } from '@skipring/protocol';
import { setJobState, type ClusterState, type JobRun, type WorkerRecord } from './state.js';

/** Members of the newest generation that still belong to the job, in rank order. */
export function workersOf(state: ClusterState, run: JobRun): WorkerRecord[] {
  return run.ranks.flatMap((id) => {
    const worker = state.workers.get(id);
    return worker?.jobId === run.job.id ? [worker] : [];
  });
}

/** Tells a worker to leave a generation and forget the job; it is idle once it has answered. */
export function stopWorker(
  state: ClusterState,
  worker: WorkerRecord,
  fence: Fence,
  checkpoint: boolean,
  reason: string,
): void {
  worker.jobId = null;
  worker.held = null;
  state.jobs.get(fence.jobId)?.holders.delete(worker.id);
  const deadlineMs = worker.leavesAtMs ?? state.nowMs + state.options.stopDeadlineMs;
  worker.stopping = { fence, deadlineMs };
  state.effects.push({
    type: 'send',
    workerId: worker.id,
    message: { type: 'stop', fence, checkpoint, reason },
  });
}

/**
 * Who must store the state so that it outlasts those who leave: nobody when a worker that stays holds
 * it, else the lowest rank of those that leave and hold it. Where nobody is known to, as before a job's
 * first `start`, the lowest rank that leaves stores what it has.
 * @param leavers of the job, in rank order
 */
export function keeper(
  state: ClusterState,
  run: JobRun,
  leavers: readonly WorkerRecord[],
): WorkerRecord | null {
  const holds = ({ id }: WorkerRecord): boolean => run.holders.has(id);
  const isKept = workersOf(state, run).some((worker) => holds(worker) && !leavers.includes(worker));
  return isKept ? null : (leavers.find(holds) ?? leavers[0] ?? null);
}

/** Stops workers of a job; the job waits for the one of them that has to store the state, if any. */
export function takeLeave(
  state: ClusterState,
  run: JobRun,
  fence: Fence,
  leavers: readonly WorkerRecord[],
  reason: string,
): void {
  const storing = keeper(state, run, leavers);
  for (const worker of leavers) stopWorker(state, worker, fence, worker === storing, reason);
  if (storing !== null) run.leaving.add(storing.id);
}

/** Workers that a job holds without a generation leave it; where no other holds the state, it is stored first. */
export function leaveWaiting(
  state: ClusterState,
  run: JobRun,
  leavers: readonly WorkerRecord[],
  cause: string,
): void {
  if (run.fence === null) return;
  const isStored = keeper(state, run, leavers) !== null;
  takeLeave(state, run, run.fence, leavers, cause);
  if (!isStored || run.state !== 'waiting') return;
  setJobState(state, run, 'waiting', `${cause}; a checkpoint is stored first`);
}
