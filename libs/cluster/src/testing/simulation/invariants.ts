import type { Cluster } from '../../cluster.js';
import { Ledger } from '../../ledger/ledger.js';
import type { ClusterEffect, ClusterInput } from '../../messages.js';
import { sent } from '../fixture.js';
import { fenceKey } from './fence-key.js';
import { NUM_STEPS, type SimulatedWorker } from './simulated-worker.js';

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Checks what must hold after every input, whatever the faults: invariants 1 to 5 of the design. */
export class Invariants {
  private readonly generations = new Map<string, number>();
  private readonly members = new Map<string, readonly string[]>();
  private readonly ready = new Map<string, Set<string>>();
  private readonly finishing = new Set<string>();
  private readonly ended = new Set<string>();
  private readonly checkpoints = new Map<string, number>();
  private readonly committed = new Map<string, number>();
  private readonly ledgers = new Map<string, Ledger>();

  /** @param isLossless no worker is lost: a start below any committed step is an error */
  constructor(
    private readonly workers: ReadonlyMap<string, SimulatedWorker>,
    private readonly isLossless: boolean,
  ) {}

  check(cluster: Cluster, input: ClusterInput, effects: readonly ClusterEffect[]): void {
    this.note(cluster, input);
    if (effects.length === 0) return;
    this.checkPrepares(effects);
    this.checkStarts(effects);
    for (const effect of effects) this.follow(cluster, effect);
    this.checkMembers(cluster);
  }

  /** Invariant 3: members that train together hold the same step, or are one commit apart. */
  checkReplicas(): void {
    const steps = new Map<string, { least: number; most: number }>();
    for (const { state, membership, hasStarted } of this.workers.values()) {
      if (state === null || membership === null) continue;
      // A member that has not begun its first step may be behind: it receives the state.
      if (!hasStarted || state.step < (membership.startStep ?? 0)) continue;
      const key = fenceKey(membership.prepare.fence);
      const known = steps.get(key) ?? { least: state.step, most: state.step };
      known.least = Math.min(known.least, state.step);
      known.most = Math.max(known.most, state.step);
      steps.set(key, known);
      check(known.most - known.least <= 1, `${key}: replicas of ${known.least} and ${known.most}`);
    }
  }

  private raise(values: Map<string, number>, jobId: string, step: number): void {
    values.set(jobId, Math.max(values.get(jobId) ?? 0, step));
  }

  private note(cluster: Cluster, input: ClusterInput): void {
    if (input.type === 'checkpointStored') {
      this.raise(this.checkpoints, input.fence.jobId, input.step);
    }
    if (input.type !== 'workerMessage') return;
    const { message, workerId } = input;
    // A step that its job's coordinator was told of, by a worker that is still the job's.
    if (message.type === 'step' && this.isLossless) {
      const { jobId } = message.fence;
      const worker = cluster.workers().find(({ id }) => id === workerId);
      if (worker?.jobId === jobId) this.raise(this.committed, jobId, message.step);
    }
    if (message.type === 'ready') {
      const key = fenceKey(message.fence);
      this.ready.set(key, (this.ready.get(key) ?? new Set()).add(workerId));
    }
    if (message.type === 'finished') this.finishing.add(fenceKey(message.fence));
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
      check(!this.ended.has(key), `${key} goes on after its end`);
      this.generations.set(key, fence.generation);
      const ids = members.map((member) => member.workerId);
      this.members.set(fenceKey(fence), ids);
      check(ids[rank] === workerId, `${key}: rank ${rank} is not ${workerId}`);
      check(new Set(ids).size === ids.length, `${key}: a worker is a member twice`);
      const { min, max } = spec.workers;
      check(ids.length >= min && ids.length <= max, `${key}: ${ids.length} members`);
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
      const { jobId } = fence;
      const ready = this.ready.get(fenceKey(fence));
      const members = this.members.get(fenceKey(fence)) ?? [];
      check(members.includes(workerId), `${jobId}: ${workerId} started, not a member`);
      for (const id of members) {
        check(ready?.has(id) === true, `${jobId}: started before ${id} was ready`);
        const state = this.workers.get(id)?.state;
        const held = state?.jobId === jobId ? state.step : 0;
        check(held <= position.step, `${jobId}: ${id} holds step ${held} > ${position.step}`);
      }
      const committed = this.committed.get(jobId) ?? 0;
      check(committed <= position.step, `${jobId}: ${committed} committed > ${position.step}`);
      const stored = this.checkpoints.get(jobId) ?? 0;
      check(stored <= position.step, `${jobId}: step ${stored} stored > ${position.step}`);
    }
  }

  private follow(cluster: Cluster, effect: ClusterEffect): void {
    switch (effect.type) {
      case 'generationStarted':
        this.ledgerOf(effect.fence.jobId).begin(effect.fence, effect.step);
        return;
      case 'stepCommitted':
        this.ledgerOf(effect.fence.jobId).commit(effect.fence, effect.metrics);
        this.checkLedger(effect.fence.jobId);
        return;
      case 'attemptFailed':
      case 'jobFinished':
      case 'jobCancelled':
      case 'jobPaused': {
        const { jobId, attempt } = effect;
        const key = `${jobId}/${attempt}`;
        check(!this.ended.has(key), `${key} ended twice`);
        this.ended.add(key);
        check(cluster.job(jobId) === null, `${key} ended and is still there`);
        if (effect.type !== 'jobFinished') return;
        check(
          this.checkpoints.get(jobId) === NUM_STEPS,
          `${key} ended before its model was stored`,
        );
        const epoch = this.ledgerOf(jobId).takeChange().epochs.get(0);
        check(epoch?.verdict === 'exact', `${key}: the ledger is ${JSON.stringify(epoch)}`);
        return;
      }
      default:
        return;
    }
  }

  /** Invariant 2: each sample of an epoch went into one committed step that counts. */
  private checkLedger(jobId: string): void {
    const findings = this.ledgerOf(jobId).takeFindings();
    check(findings.length === 0, `${jobId}: the ledger finds ${JSON.stringify(findings)}`);
  }

  /** One epoch of a sample for each step. */
  private ledgerOf(jobId: string): Ledger {
    const known =
      this.ledgers.get(jobId) ?? new Ledger({ numSamples: NUM_STEPS, batchSize: 1 }, null);
    this.ledgers.set(jobId, known);
    return known;
  }

  private checkMembers(cluster: Cluster): void {
    const connected = new Map(cluster.workers().map((worker) => [worker.id, worker]));
    for (const jobId of cluster.jobIds()) {
      const job = cluster.job(jobId);
      if (job === null) continue;
      check(job.reason !== '' || job.state === 'waiting', `${jobId} has no reason`);
      check(job.state !== 'running' || job.workers.length > 0, `${jobId} runs without workers`);
      // Ranks that rank 0 no longer needs may be gone; before that every member belongs to the job,
      // and a worker belongs to one job at most.
      if (job.state !== 'running' || job.fence === null) continue;
      if (this.finishing.has(fenceKey(job.fence))) continue;
      for (const id of job.workers) {
        check(connected.get(id)?.jobId === jobId, `${id} is a member of ${jobId}, not in it`);
      }
    }
  }
}
