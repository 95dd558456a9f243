import type { Cluster } from '../cluster.js';
import type { ClusterEffect, ClusterInput } from '../messages.js';
import type { SimulatedWorker } from './simulated-worker.js';
import { sent } from './fixture.js';

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Checks what must hold after every input, whatever the faults. */
export class Invariants {
  private readonly generations = new Map<string, number>();
  private readonly members = new Map<string, readonly string[]>();
  private readonly ready = new Map<string, Set<string>>();
  private readonly finishing = new Set<string>();
  private readonly ended = new Set<string>();
  private readonly checkpoints = new Map<string, number>();
  private readonly committed = new Map<string, number>();

  /** @param isLossless no worker is lost: a start below any committed step is an error */
  constructor(
    private readonly cluster: Cluster,
    private readonly workers: ReadonlyMap<string, SimulatedWorker>,
    private readonly isLossless: boolean,
  ) {}

  check(input: ClusterInput, effects: readonly ClusterEffect[]): void {
    this.note(input);
    this.checkPrepares(effects);
    if (this.isLossless) this.noteCommitted();
    this.checkStarts(effects);
    this.checkEndings(effects);
    this.checkMembers();
  }

  private note(input: ClusterInput): void {
    if (input.type === 'checkpointStored') {
      const { jobId } = input.fence;
      this.checkpoints.set(jobId, Math.max(this.checkpoints.get(jobId) ?? 0, input.step));
    }
    if (input.type !== 'workerMessage') return;
    const { message, workerId } = input;
    if (message.type === 'ready') {
      const key = JSON.stringify(message.fence);
      this.ready.set(key, (this.ready.get(key) ?? new Set()).add(workerId));
    }
    if (message.type === 'finished') this.finishing.add(JSON.stringify(message.fence));
  }

  private noteCommitted(): void {
    for (const { state } of this.workers.values()) {
      if (state === null) continue;
      const before = this.committed.get(state.jobId) ?? 0;
      this.committed.set(state.jobId, Math.max(before, state.step));
    }
  }

  private checkPrepares(effects: readonly ClusterEffect[]): void {
    for (const { workerId, message } of sent(effects, 'prepare')) {
      const { fence, spec, members, rank } = message;
      const key = `${fence.jobId}/${fence.attempt}`;
      const before = this.generations.get(key) ?? 0;
      check(
        rank === 0 ? fence.generation > before : fence.generation === before,
        `${key}: generation ${fence.generation} of rank ${rank} after ${before}`,
      );
      this.generations.set(key, fence.generation);
      this.members.set(
        JSON.stringify(fence),
        members.map((member) => member.workerId),
      );
      check(members[rank]?.workerId === workerId, `${key}: rank ${rank} is not ${workerId}`);
      check(
        new Set(members.map((member) => member.workerId)).size === members.length,
        `${key}: a worker is a member twice`,
      );
      const { min, max } = spec.workers;
      check(members.length >= min && members.length <= max, `${key}: ${members.length} members`);
      const lanes = members.flatMap((member) => member.lanes);
      check(
        lanes.length === spec.lanes.count && new Set(lanes).size === lanes.length,
        `${key}: lanes ${lanes.join(',')} do not have one owner each`,
      );
    }
  }

  private checkStarts(effects: readonly ClusterEffect[]): void {
    for (const { workerId, message } of sent(effects, 'start')) {
      const { fence, position } = message;
      const ready = this.ready.get(JSON.stringify(fence));
      const members = this.members.get(JSON.stringify(fence)) ?? [];
      check(members.includes(workerId), `${fence.jobId}: ${workerId} started, not a member`);
      for (const id of members) {
        check(ready?.has(id) === true, `${fence.jobId}: started before ${id} was ready`);
        const state = this.workers.get(id)?.state;
        const held =
          state?.jobId === fence.jobId && state.attempt === fence.attempt ? state.step : 0;
        check(held <= position.step, `${fence.jobId}: ${id} holds step ${held} > ${position.step}`);
      }
      const committed = this.committed.get(fence.jobId) ?? 0;
      check(
        committed <= position.step,
        `${fence.jobId}: step ${committed} committed > ${position.step}`,
      );
      const stored = this.checkpoints.get(fence.jobId) ?? 0;
      check(stored <= position.step, `${fence.jobId}: step ${stored} stored > ${position.step}`);
    }
  }

  private checkEndings(effects: readonly ClusterEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'attemptFailed':
        case 'jobFinished':
        case 'jobCancelled':
        case 'jobPaused': {
          const key = `${effect.jobId}/${effect.attempt}`;
          check(!this.ended.has(key), `${key} ended twice`);
          this.ended.add(key);
          check(this.cluster.job(effect.jobId) === null, `${key} ended and is still there`);
          break;
        }
        case 'jobState':
        case 'send':
        case 'disconnect':
        case 'generationStarted':
        case 'stepCommitted':
        case 'rankStep':
        case 'evaluationDone':
        case 'hashesCompared':
        case 'memberLost':
        case 'checkpointFailed':
        case 'layersProbed':
        case 'noticeGiven':
          break;
      }
    }
    for (const { message } of sent(effects, 'prepare')) {
      const key = `${message.fence.jobId}/${message.fence.attempt}`;
      check(!this.ended.has(key), `${key} goes on after its end`);
    }
  }

  private checkMembers(): void {
    const connected = new Map(this.cluster.workers().map((worker) => [worker.id, worker]));
    for (const jobId of this.cluster.jobIds()) {
      const job = this.cluster.job(jobId);
      if (job === null) continue;
      check(job.reason !== '', `${jobId} has no reason`);
      check(job.state !== 'running' || job.workers.length > 0, `${jobId} runs without workers`);
      // Ranks that rank 0 no longer needs may be gone; before that every member belongs to the job,
      // and a worker belongs to one job at most.
      if (job.state !== 'running' || this.finishing.has(JSON.stringify(job.fence))) continue;
      for (const id of job.workers) {
        check(connected.get(id)?.jobId === jobId, `${id} is a member of ${jobId}, not in it`);
      }
    }
  }
}
