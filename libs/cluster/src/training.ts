import type { Fence, WorkerMessage } from '@skipring/protocol';
import { countStep } from './committed-steps.js';
import { failAttempt, finishIfDone } from './endings.js';
import { countBroken, regroup, startIfReady } from './generations.js';
import { holdStep } from './holders.js';
import type { StepReport } from './messages.js';
import { watchStep } from './stragglers/relief.js';
import { sameFence, type ClusterState, type Generation, type JobRun } from './state.js';

/** Messages that belong to a generation. */
export type TrainingMessage = Extract<
  WorkerMessage,
  { type: 'ready' | 'aborted' | 'step' | 'layers' | 'notice' | 'evaluation' | 'finished' }
>;

/** Ranks report at about the same time; more open steps than this are of ranks that left. */
const MAX_OPEN_HASHES = 8;

/** Follows a member's report. A stale fence or one from outside the generation is ignored. */
export function follow(state: ClusterState, workerId: string, message: TrainingMessage): void {
  const run = state.jobs.get(message.fence.jobId);
  if (run === undefined) return;
  noteStep(state, run, workerId, message);
  if (message.type === 'step') countStep(state, run, workerId, message);
  const { generation } = run;
  if (run.state !== 'running' || generation === null) return;
  if (!sameFence(generation.fence, message.fence)) return;
  const rank = generation.members.findIndex((member) => member.workerId === workerId);
  if (rank < 0 || ('rank' in message && message.rank !== rank)) return;
  switch (message.type) {
    case 'ready':
      generation.ready.set(rank, { position: message.position, stateHash: message.stateHash });
      startIfReady(state, run);
      return;
    case 'aborted':
      abort(state, run, generation, rank, message);
      return;
    case 'step':
      watchReplicas(state, run, generation, message);
      return;
    case 'notice':
      state.effects.push({
        type: 'noticeGiven',
        jobId: generation.fence.jobId,
        message: message.message,
      });
      return;
    case 'layers': {
      const { layers, statistics } = message;
      state.effects.push({ type: 'layersProbed', fence: generation.fence, layers, statistics });
      return;
    }
    case 'evaluation':
      if (rank !== 0) return;
      state.effects.push({
        type: 'evaluationDone',
        fence: generation.fence,
        result: message.result,
      });
      return;
    case 'finished':
      if (generation.finished.size === 0) {
        generation.finishDeadlineMs = state.nowMs + state.options.finishDeadlineMs;
      }
      generation.finished.set(rank, message.modelSha256);
      finishIfDone(state, run);
      return;
  }
}

/** A report may come when its job waits or regroups already: it still tells how far its worker is. */
function noteStep(
  state: ClusterState,
  run: JobRun,
  workerId: string,
  message: TrainingMessage,
): void {
  const { fence } = message;
  if (!sameFence(run.fence, fence) && !sameFence(run.trained?.fence ?? null, fence)) return;
  if (state.workers.get(workerId)?.jobId !== run.job.id) return;
  if (message.type === 'step') holdStep(run, workerId, message.step);
  if (message.type === 'aborted') holdStep(run, workerId, message.position.step);
}

function abort(
  state: ClusterState,
  run: JobRun,
  generation: Generation,
  rank: number,
  { code, message, fatal }: Extract<TrainingMessage, { type: 'aborted' }>,
): void {
  if (generation.finished.has(0)) {
    generation.absent.add(rank);
    finishIfDone(state, run);
    return;
  }
  const reason = `rank ${rank} aborted with ${code}: ${message}`;
  if (fatal) {
    failAttempt(state, run, reason, false);
    return;
  }
  if (generation.broken || countBroken(state, run, reason)) return;
  run.regroup = { atMs: state.nowMs + state.options.abortGraceMs, reason };
}

/** Looks for slow ranks, and for replicas that differ. */
function watchReplicas(
  state: ClusterState,
  run: JobRun,
  generation: Generation,
  { rank, step, parts, stateHash }: StepReport,
): void {
  const { hashes, members } = generation;
  watchStep(state, run, generation, rank, parts);
  if (stateHash === null || run.generation !== generation) return;
  const byRank = hashes.get(step) ?? new Map<number, string>();
  hashes.set(step, byRank.set(rank, stateHash));
  const [oldest] = hashes.keys();
  if (hashes.size > MAX_OPEN_HASHES && oldest !== undefined) hashes.delete(oldest);
  if (byRank.size < members.length) return;
  hashes.delete(step);
  const agreed = new Set(byRank.values()).size === 1;
  state.effects.push({ type: 'hashesCompared', jobId: run.job.id, agreed });
  // The next generation's `start` repairs the ranks that differ from most others.
  if (!agreed) regroup(state, run, `the replicas differ at step ${step}`);
}

/** Whether a fence is that of a job's newest generation, also while it is cancelled or waits. */
export function isCurrentFence(state: ClusterState, fence: Fence): boolean {
  return sameFence(state.jobs.get(fence.jobId)?.fence ?? null, fence);
}
