import type { Fence } from '@skipring/protocol';
import { setJobState, type ClusterState, type JobRun, type WorkerRecord } from './state.js';

/** Tells a worker to leave a generation and forget the job; it is idle once it has answered. */
export function stopWorker(
  state: ClusterState,
  worker: WorkerRecord,
  fence: Fence,
  checkpoint: boolean,
  reason: string,
): void {
  worker.jobId = null;
  worker.stopping = { fence, deadlineMs: state.nowMs + state.options.stopDeadlineMs };
  state.effects.push({
    type: 'send',
    workerId: worker.id,
    message: { type: 'stop', fence, checkpoint, reason },
  });
}

/** A draining worker without a part in any job may exit. */
export function releaseIfDrained(state: ClusterState, worker: WorkerRecord): void {
  if (!worker.draining || worker.released) return;
  if (worker.jobId !== null || worker.stopping !== null) return;
  worker.released = true;
  state.effects.push({ type: 'send', workerId: worker.id, message: { type: 'released' } });
}

/** Frees all workers of a job and forgets it. */
function forget(state: ClusterState, run: JobRun, reason: string): void {
  state.jobs.delete(run.job.id);
  for (const worker of workersOf(state, run)) {
    if (run.fence === null) worker.jobId = null;
    else stopWorker(state, worker, run.fence, false, reason);
  }
}

export function workersOf(state: ClusterState, run: JobRun): WorkerRecord[] {
  return [...state.workers.values()].filter((worker) => worker.jobId === run.job.id);
}

export function failAttempt(
  state: ClusterState,
  run: JobRun,
  reason: string,
  retryable: boolean,
): void {
  const { id: jobId, attempt } = run.job;
  forget(state, run, `the attempt failed: ${reason}`);
  state.effects.push({ type: 'attemptFailed', jobId, attempt, reason, retryable });
}

/**
 * Ends the job once every rank has finished with the same model, or is gone after rank 0, which
 * stored it, had finished.
 */
export function finishIfDone(state: ClusterState, run: JobRun): void {
  const { generation } = run;
  const modelSha256 = generation?.finished.get(0);
  if (generation === null || modelSha256 === undefined) return;
  const isDone = generation.members.every(
    (_, rank) => generation.finished.has(rank) || generation.absent.has(rank),
  );
  if (!isDone) return;
  const others = [...generation.finished].filter(([, sha256]) => sha256 !== modelSha256);
  if (others.length > 0) {
    const ranks = others.map(([rank]) => rank).join(', ');
    failAttempt(state, run, `the models of ranks ${ranks} are not that of rank 0`, true);
    return;
  }
  const { id: jobId, attempt } = run.job;
  forget(state, run, 'the job succeeded');
  state.effects.push({ type: 'jobFinished', jobId, attempt, modelSha256 });
}

/** Stops a job's workers, rank 0 storing a checkpoint first; the job ends when all have answered. */
export function cancel(state: ClusterState, run: JobRun): void {
  if (run.state === 'cancelling') return;
  const { fence } = run;
  const workers = workersOf(state, run);
  setJobState(state, run, 'cancelling', 'cancelled by a user');
  run.regroup = null;
  for (const worker of workers) {
    if (fence === null) continue;
    run.leaving.add(worker.id);
    stopWorker(state, worker, fence, true, 'the job is cancelled');
  }
  cancelIfStopped(state, run);
}

export function cancelIfStopped(state: ClusterState, run: JobRun): void {
  if (run.state !== 'cancelling' || run.leaving.size > 0) return;
  const { id: jobId, attempt } = run.job;
  state.jobs.delete(jobId);
  state.effects.push({ type: 'jobCancelled', jobId, attempt });
}
