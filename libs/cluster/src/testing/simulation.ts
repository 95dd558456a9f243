import { Cluster } from '../cluster.js';
import type { ClusterEffect, ClusterInput, QueuedJob } from '../messages.js';
import { testHello, testJob } from './fixture.js';
import { Invariants } from './invariants.js';
import { SimulatedWorker } from './simulated-worker.js';

/** Mulberry32: uniform numbers in [0, 1) from a 32-bit seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hasStarted({ membership }: SimulatedWorker): boolean {
  return typeof membership?.startStep === 'number';
}

const NUM_WORKERS = 6;
const TURN_MS = 20;

/**
 * `all`: workers die, freeze, come back and leave. `graceful`: they come and leave, and generations
 * break, but no worker is lost; then no committed step may be lost either.
 */
export type Faults = 'all' | 'graceful';

/** Workers, jobs and faults, drawn from a seed; every input to the cluster is checked. */
export class Simulation {
  readonly cluster: Cluster;
  readonly jobs = new Map<string, QueuedJob>();
  readonly endings = new Map<string, string>();
  private readonly workers = new Map<string, SimulatedWorker>();
  private readonly invariants: Invariants;
  private readonly random: () => number;
  private readonly paused = new Set<string>();
  /** Newest stored checkpoint, by job. */
  private readonly stored = new Map<string, number>();
  numResumed = 0;
  private nowMs = 0;
  private numTokens = 0;

  constructor(
    seed: number,
    private readonly faults: Faults = 'all',
  ) {
    this.random = randomFrom(seed);
    this.cluster = new Cluster(() => `ring-token-${(this.numTokens += 1)}-simulated`, {
      heartbeatTimeoutMs: 500,
      readyDeadlineMs: 2_000,
      stopDeadlineMs: 1_000,
      finishDeadlineMs: 1_000,
      growthIntervalMs: 300,
    });
    this.invariants = new Invariants(this.cluster, this.workers, faults === 'graceful');
    for (let index = 0; index < NUM_WORKERS; index += 1) this.addWorker(index);
    for (const worker of this.workers.values()) if (this.random() < 0.7) this.connect(worker);
    for (let index = 0; index < 4; index += 1) {
      const min = 1 + this.below(4);
      this.queue(
        testJob(`job-${index}`, {
          min,
          max: min + this.below(4),
          priority: this.below(3),
          threads: this.random() < 0.2 ? 2 : 1,
        }),
      );
    }
  }

  /** Runs with faults, then without; throws at the first broken invariant. */
  run(numFaultyTurns: number, numCalmTurns: number): void {
    for (let turn = 0; turn < numFaultyTurns; turn += 1) {
      this.fault();
      this.turn(0.6);
    }
    this.resume();
    for (const worker of this.workers.values()) {
      worker.frozen = false;
      if (!worker.connected) this.connect(worker);
    }
    for (let turn = 0; turn < numCalmTurns && this.cluster.jobIds().length > 0; turn += 1) {
      this.turn(1);
    }
    this.checkLiveness();
  }

  /** Queues what was paused again, as a user who resumes it does: from the newest checkpoint. */
  private resume(): void {
    for (const id of this.paused) {
      const job = this.jobs.get(id);
      if (job === undefined) continue;
      const checkpointStep = this.stored.get(id) ?? null;
      this.numResumed += 1;
      this.queue({ ...job, attempt: job.attempt + 1, checkpointStep });
    }
    this.paused.clear();
  }

  private checkLiveness(): void {
    for (const id of this.cluster.jobIds()) {
      const job = this.cluster.job(id);
      const spec = this.jobs.get(id)?.spec;
      if (job === null || spec === undefined) throw new Error(`${id} is not known`);
      const fitting = this.cluster
        .workers()
        .filter(({ hello, state }) => hello.threads === spec.workers.threads && state === 'idle');
      if (job.state === 'waiting' && fitting.length < spec.workers.min) continue;
      throw new Error(`${id} does not end: ${job.state}, ${job.reason}, ${fitting.length} idle`);
    }
  }

  /** One slice of time: messages move, rings advance, heartbeats and the clock tick. */
  private turn(activity: number): void {
    this.nowMs += TURN_MS;
    for (const worker of [...this.workers.values()]) {
      if (!worker.connected || worker.frozen) continue;
      while (worker.inbox.length > 0 && this.random() < activity - 0.05) worker.handleNext();
      while (worker.outbox.length > 0 && this.random() < activity - 0.05) this.deliver(worker);
      if (worker.released) {
        this.disconnect(worker);
        this.workers.delete(worker.id);
        this.addWorker(this.numTokens, `${worker.id}x`);
      } else if (worker.connected) {
        this.report(worker, { type: 'heartbeat', computeSilentMs: 0 });
      }
    }
    this.advanceRings();
    this.apply({ type: 'tick' });
  }

  /** A ring commits only when all of its members are in it; it breaks when one is gone. */
  private advanceRings(): void {
    for (const worker of this.workers.values()) {
      const { membership } = worker;
      if (membership?.prepare.rank !== 0) continue;
      const { fence, members } = membership.prepare;
      const ring = members.map(({ workerId }) => this.workers.get(workerId));
      const key = JSON.stringify(fence);
      const present = ring.filter(
        (member) =>
          member?.connected === true &&
          member.membership !== null &&
          !member.membership.aborted &&
          JSON.stringify(member.membership.prepare.fence) === key,
      ) as SimulatedWorker[];
      if (present.length < ring.length) {
        const isLost = ring.some((member) => member?.connected !== true);
        if (isLost || this.random() < 0.3) this.breakRing(present);
        continue;
      }
      if (present.some((member) => member.frozen || !hasStarted(member))) continue;
      for (const member of present) {
        const start = member.membership?.startStep ?? 0;
        if (member.state !== null) member.state.step = Math.max(member.state.step, start);
      }
      for (const member of present) member.advance();
    }
  }

  private breakRing(present: readonly SimulatedWorker[]): void {
    for (const member of present) {
      if (member.frozen || !hasStarted(member)) continue;
      if (member.membership?.finished === false) member.abort();
    }
  }

  private fault(): void {
    const worker = [...this.workers.values()][this.below(this.workers.size)];
    if (worker === undefined) return;
    const draw = this.random();
    if (this.faults === 'graceful') {
      this.gracefulFault(worker, draw);
    } else if (draw < 0.02) {
      if (worker.connected) this.disconnect(worker);
    } else if (draw < 0.12) {
      if (!worker.connected) this.connect(worker);
    } else if (draw < 0.13) worker.frozen = true;
    else if (draw < 0.18) worker.frozen = false;
    else if (draw < 0.19 && worker.connected && !worker.frozen) worker.abort();
    else if (draw < 0.2) {
      this.apply({ type: 'drainRequested', workerId: worker.id, reason: 'simulated' });
    } else if (draw < 0.202) {
      this.apply({ type: 'cancelRequested', jobId: `job-${this.below(4)}` });
    } else if (draw < 0.204) {
      this.apply({ type: 'pauseRequested', jobId: `job-${this.below(4)}` });
    } else if (draw < 0.206) this.resume();
    else if (draw < 0.21 && worker.connected && !worker.frozen) this.connect(worker);
  }

  private gracefulFault(worker: SimulatedWorker, draw: number): void {
    if (draw < 0.1) {
      if (!worker.connected) this.connect(worker);
    } else if (draw < 0.12 && worker.connected) worker.abort();
    else if (draw < 0.18) {
      this.apply({ type: 'drainRequested', workerId: worker.id, reason: 'simulated' });
    } else if (draw < 0.19) {
      this.apply({ type: 'pauseRequested', jobId: `job-${this.below(4)}` });
    } else if (draw < 0.21) this.resume();
  }

  private addWorker(index: number, id = `worker-${index}`): void {
    this.workers.set(id, new SimulatedWorker(id, index % 3 === 2 ? 2 : 1));
  }

  private connect(worker: SimulatedWorker): void {
    worker.inbox.length = 0;
    worker.outbox.length = 0;
    worker.membership = null;
    worker.connected = true;
    this.apply({ type: 'workerConnected', hello: testHello(worker.id, worker.threads) });
  }

  private disconnect(worker: SimulatedWorker): void {
    this.cut(worker);
    this.apply({ type: 'workerDisconnected', workerId: worker.id, reason: 'simulated' });
  }

  private cut(worker: SimulatedWorker): void {
    worker.connected = false;
    worker.inbox.length = 0;
    worker.outbox.length = 0;
    worker.membership = null;
  }

  private deliver(worker: SimulatedWorker): void {
    const message = worker.outbox.shift();
    if (message === undefined) return;
    if (message.type === 'stored') {
      const before = this.stored.get(message.fence.jobId) ?? 0;
      this.stored.set(message.fence.jobId, Math.max(before, message.step));
      this.apply({ type: 'checkpointStored', fence: message.fence, step: message.step });
    } else this.report(worker, message);
  }

  private report(
    worker: SimulatedWorker,
    message: Extract<ClusterInput, { type: 'workerMessage' }>['message'],
  ): void {
    this.apply({ type: 'workerMessage', workerId: worker.id, message });
  }

  private queue(job: QueuedJob): void {
    this.jobs.set(job.id, job);
    this.apply({ type: 'jobQueued', job });
  }

  private apply(input: ClusterInput): void {
    const effects = this.cluster.apply(input, this.nowMs);
    this.invariants.check(input, effects);
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: ClusterEffect): void {
    if (effect.type === 'send') {
      const worker = this.workers.get(effect.workerId);
      if (worker?.connected === true) worker.inbox.push(effect.message);
    } else if (effect.type === 'disconnect') {
      const worker = this.workers.get(effect.workerId);
      if (worker !== undefined) this.cut(worker);
    } else if (
      effect.type === 'attemptFailed' ||
      effect.type === 'jobFinished' ||
      effect.type === 'jobCancelled' ||
      effect.type === 'jobPaused'
    ) {
      this.endings.set(effect.jobId, effect.type);
      if (effect.type === 'jobPaused') this.paused.add(effect.jobId);
    }
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
}
