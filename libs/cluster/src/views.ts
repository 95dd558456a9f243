import type { AttemptState, Fence, Straggler } from '@skipring/protocol';
import type { Hello } from './messages.js';
import type { ClusterState, JobRun, WorkerRecord } from './state.js';

/** A worker, as it stands. */
export interface WorkerSnapshot {
  readonly id: string;
  readonly hello: Hello;
  readonly state: 'idle' | 'busy' | 'draining';
  readonly jobId: string | null;
  readonly rank: number | null;
  readonly lanes: readonly number[];
  /** Whether it holds up the other members of its generation, and in which part of a step. */
  readonly slow: Pick<Straggler, 'part' | 'ratio'> | null;
  readonly connectedMs: number;
  readonly lastHeartbeatMs: number;
}

/** A job, as it stands in the cluster. */
export interface JobSnapshot {
  readonly attempt: number;
  readonly state: AttemptState;
  readonly reason: string;
  readonly fence: Fence | null;
  /** Worker ids by rank; empty while the job waits. */
  readonly workers: readonly string[];
  readonly committedStep: number;
}

export function workerSnapshot(state: ClusterState, worker: WorkerRecord): WorkerSnapshot {
  const { id, hello, jobId, connectedMs, lastHeartbeatMs } = worker;
  const generation = jobId === null ? null : (state.jobs.get(jobId)?.generation ?? null);
  const members = generation?.members ?? [];
  const rank = members.findIndex((member) => member.workerId === id);
  const slow = generation?.watch.slow.find((other) => other.rank === rank);
  const isBusy = jobId !== null || worker.stopping !== null;
  return {
    id,
    hello,
    state: worker.draining ? 'draining' : isBusy ? 'busy' : 'idle',
    jobId,
    rank: rank < 0 ? null : rank,
    lanes: members[rank]?.lanes ?? [],
    slow: slow === undefined ? null : { part: slow.part, ratio: slow.ratio },
    connectedMs,
    lastHeartbeatMs,
  };
}

export function jobSnapshot({
  job,
  state,
  reason,
  fence,
  generation,
  committedStep,
}: JobRun): JobSnapshot {
  return {
    attempt: job.attempt,
    state,
    reason,
    fence,
    workers: generation?.members.map(({ workerId }) => workerId) ?? [],
    committedStep,
  };
}
