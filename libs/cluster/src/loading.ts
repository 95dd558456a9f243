import type { WorkerMessage } from '@skipring/protocol';
import { isIdle, sameAttempt, type ClusterState, type JobRun, type WorkerRecord } from './state.js';

// Data and model take seconds to load, and a generation that is prepared holds all of its members. So
// a worker that may join a running job loads it first, while the others train on.

/** Asks idle workers to load a job that runs, each once. */
export function askToLoad(state: ClusterState, run: JobRun, workerIds: readonly string[]): void {
  const { fence, job } = run;
  if (fence === null) return;
  for (const id of workerIds) {
    const worker = state.workers.get(id);
    if (worker === undefined || sameAttempt(worker.loading?.fence ?? null, fence)) continue;
    worker.loading = { fence, state: 'asked' };
    const { spec, dataSet } = job;
    const message = { type: 'load', fence, spec, dataSet } as const;
    state.effects.push({ type: 'send', workerId: id, message });
  }
}

/** A worker has answered `load`. */
export function noteLoaded(
  state: ClusterState,
  worker: WorkerRecord,
  { fence, error }: Extract<WorkerMessage, { type: 'loaded' }>,
): void {
  if (!sameAttempt(worker.loading?.fence ?? null, fence) || worker.loading === null) return;
  worker.loading.state = error === null ? 'loaded' : 'failed';
  if (error === null) return;
  const { jobId } = fence;
  state.effects.push({ type: 'loadFailed', jobId, workerId: worker.id, reason: error });
}

/** Whether a worker can join a job's next generation without holding it. */
export function hasLoaded(state: ClusterState, run: JobRun, workerId: string): boolean {
  const loading = state.workers.get(workerId)?.loading ?? null;
  return loading?.state === 'loaded' && sameAttempt(loading.fence, run.fence);
}

/** Whether a worker could not load a job. */
export function hasFailed(state: ClusterState, run: JobRun, workerId: string): boolean {
  const loading = state.workers.get(workerId)?.loading ?? null;
  return loading?.state === 'failed' && sameAttempt(loading.fence, run.fence);
}

/** Idle workers forget a job that has ended. */
export function forgetLoaded(state: ClusterState, { fence, job }: JobRun, reason: string): void {
  if (fence === null) return;
  for (const worker of state.workers.values()) {
    if (worker.loading?.fence.jobId !== job.id) continue;
    worker.loading = null;
    if (!isIdle(worker)) continue;
    const message = { type: 'stop', fence, checkpoint: false, reason } as const;
    state.effects.push({ type: 'send', workerId: worker.id, message });
  }
}
