import { forgetLoaded } from './loading.js';
import { stopWorker, takeLeave, workersOf } from './leave-taking.js';
import { awaitedAtFirst } from './rejoin.js';
import type { ClusterEffect, Halt } from './messages.js';
import {
  isHalting,
  setJobState,
  type ClusterState,
  type JobRun,
  type WorkerRecord,
} from './state.js';

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
  forgetLoaded(state, run, reason);
  if (run.fence === null) return;
  for (const worker of workersOf(state, run)) stopWorker(state, worker, run.fence, false, reason);
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

const HALTS = {
  cancelling: { ended: 'jobCancelled', done: 'cancelled' },
  pausing: { ended: 'jobPaused', done: 'paused' },
} as const satisfies Record<Halt, { ended: ClusterEffect['type']; done: string }>;

/**
 * A job is to stop, see `stopHalted`. One that is being paused can still be cancelled, not the other
 * way about.
 */
export function halt(state: ClusterState, run: JobRun, how: Halt): void {
  if (run.state === how || run.state === 'cancelling') return;
  run.regroup = null;
  setJobState(state, run, how, `${HALTS[how].done} by a user`);
}

/**
 * Stops the workers of jobs that are being halted, one storing a checkpoint first; the attempt ends
 * when all have answered. States that may still come back after a restart are waited for.
 */
export function stopHalted(state: ClusterState): void {
  for (const run of [...state.jobs.values()]) {
    if (!isHalting(run)) continue;
    const { done, ended } = HALTS[run.state];
    const missing = awaitedAtFirst(state, run);
    if (missing !== null) {
      const reason = `${done} by a user; waits for ${missing} to come back`;
      setJobState(state, run, run.state, reason);
      continue;
    }
    const workers = workersOf(state, run);
    if (run.fence !== null) takeLeave(state, run, run.fence, workers, `the job is ${done}`);
    for (const worker of workers) run.leaving.add(worker.id);
    if (run.leaving.size > 0) continue;
    const { id: jobId, attempt } = run.job;
    state.jobs.delete(jobId);
    forgetLoaded(state, run, `the job is ${done}`);
    state.effects.push({ type: ended, jobId, attempt });
  }
}
