import { stragglerPolicies } from '@skipring/protocol';
import { Cluster } from '../../cluster.js';
import type { ClusterEffect, ClusterInput, QueuedJob } from '../../messages.js';
import { testHello, testJob } from '../fixture.js';
import { drawFault, type Faults } from './faults.js';
import { Invariants } from './invariants.js';
import type { Mutation } from './mutations.js';
import { Random } from './random.js';
import { Rings } from './rings.js';
import { SimulatedWorker, type Stored } from './simulated-worker.js';
import { Trace } from './trace.js';

const TURN_MS = 20;
const HEARTBEAT_TURNS = 6;
const NUM_JOBS = 4;
const LANES = 64;
const RELIEF = /shared by the pace|which is slow/;

export interface SimulationOptions {
  readonly faults?: Faults;
  /** A rule that is broken on purpose. */
  readonly mutation?: Mutation;
  /** Some workers are slow for a while, and jobs differ in what they do about it. */
  readonly hasStragglers?: boolean;
}

/** Most clusters are small, where orders of events matter most; one in twenty has up to 64 workers. */
function clusterSize(random: Random): number {
  const draw = random.next();
  if (draw < 0.8) return 2 + random.below(5);
  return draw < 0.95 ? 7 + random.below(10) : 17 + random.below(48);
}

/**
 * A coordinator's state machine, workers, their connections and rings, and faults, under a virtual
 * clock; all of it is drawn from one seed. Every input to the cluster is checked.
 */
export class Simulation {
  readonly jobs = new Map<string, QueuedJob>();
  readonly endings = new Map<string, string>();
  readonly numWorkers: number;
  numResumed = 0;
  numRestarts = 0;
  /** Generations that began because of a slow worker. */
  numReliefs = 0;
  private cluster: Cluster;
  private readonly workers = new Map<string, SimulatedWorker>();
  private readonly invariants: Invariants;
  private readonly random: Random;
  private readonly rings: Rings;
  private readonly trace = new Trace();
  private readonly paused = new Set<string>();
  /** Newest stored checkpoint, by job. */
  private readonly stored = new Map<string, number>();
  private readonly faults: Faults;
  private readonly mutation: Mutation;
  private readonly hasStragglers: boolean;
  private numTurns = 0;
  private numTokens = 0;

  constructor(
    seed: number,
    { faults = 'all', mutation = {}, hasStragglers = false }: SimulationOptions = {},
  ) {
    this.hasStragglers = hasStragglers;
    this.faults = faults;
    this.mutation = mutation;
    this.random = new Random(seed);
    this.numWorkers = clusterSize(this.random);
    this.cluster = this.newCluster();
    this.invariants = new Invariants(this.workers, faults === 'graceful');
    const ringFaults = { halfCommit: 0.02, commitsAlone: false, ...mutation.ring };
    this.rings = new Rings(this.workers, this.random, ringFaults);
    for (let index = 0; index < this.numWorkers; index += 1) this.addWorker(index);
    for (const worker of this.workers.values()) if (this.random.chance(0.7)) this.connect(worker);
    for (let index = 0; index < NUM_JOBS; index += 1) {
      const min = 1 + this.random.below(Math.min(4, this.numWorkers));
      const max = min + this.random.below(this.numWorkers);
      const priority = this.random.below(3);
      const threads = this.random.chance(0.2) ? 2 : 1;
      const stragglers = hasStragglers
        ? (stragglerPolicies[(index + 1) % 3] ?? 'report')
        : 'report';
      const job = testJob(`job-${index}`, {
        min,
        max,
        lanes: LANES,
        priority,
        threads,
        stragglers,
      });
      this.queue(job);
    }
  }

  /** Runs with faults, then without. Throws at the first broken invariant, with what led there. */
  run(numFaultyTurns: number, numCalmTurns: number): void {
    try {
      for (let turn = 0; turn < numFaultyTurns; turn += 1) {
        this.fault();
        this.turn(0.55);
      }
      this.resume();
      for (const worker of this.workers.values()) {
        worker.frozen = false;
        if (!worker.connected) this.connect(worker);
      }
      for (let turn = 0; turn < numCalmTurns && this.cluster.jobIds().length > 0; turn += 1) {
        this.turn(0.95);
      }
      this.checkLiveness();
    } catch (error) {
      throw new Error(`${String(error)}\n${this.trace.text()}`, { cause: error });
    }
  }

  private get nowMs(): number {
    return this.numTurns * TURN_MS;
  }

  private newCluster(): Cluster {
    return new Cluster(() => `ring-token-${(this.numTokens += 1)}-simulated`, {
      heartbeatTimeoutMs: 500,
      readyDeadlineMs: 2_000,
      stopDeadlineMs: 1_000,
      finishDeadlineMs: 1_000,
      growthIntervalMs: 300,
      rejoinGraceMs: 500,
      reliefIntervalSteps: 4,
      stragglerWindowSteps: 3,
    });
  }

  /** Queues what was paused again, as a user who resumes it does: from the newest checkpoint. */
  private resume(): void {
    for (const id of this.paused) {
      const job = this.jobs.get(id);
      if (job === undefined) continue;
      this.numResumed += 1;
      this.queueAgain(job, []);
    }
    this.paused.clear();
  }

  /** A coordinator dies and another takes over; connections are gone, and what was under way in them. */
  private restart(): void {
    this.numRestarts += 1;
    const open = this.cluster.jobIds().map((id) => ({ id, ...this.cluster.job(id) }));
    const connected = [...this.workers.values()].filter((worker) => worker.connected);
    for (const worker of connected) worker.disconnect();
    this.cluster = this.newCluster();
    for (const { id, state, workers = [] } of open) {
      const job = this.jobs.get(id);
      if (job === undefined) continue;
      const how = state === 'cancelling' || state === 'pausing' ? state : null;
      this.queueAgain(job, workers.length > 0 ? workers : 'unknown', how);
    }
    for (const worker of connected)
      worker.reconnectTurn = this.numTurns + 1 + this.random.below(15);
  }

  private queueAgain(
    job: QueuedJob,
    expected: QueuedJob['expected'],
    how: QueuedJob['halt'] = null,
  ): void {
    const checkpointStep = this.stored.get(job.id) ?? null;
    this.queue({ ...job, attempt: job.attempt + 1, checkpointStep, expected, halt: how });
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
    this.numTurns += 1;
    for (const [index, worker] of [...this.workers.values()].entries()) {
      if (worker.reconnectTurn === this.numTurns && !worker.connected) this.connect(worker);
      if (this.hasStragglers) worker.laneMs = this.laneMsAt(index);
      if (worker.frozen) continue;
      if (this.random.chance(activity / 3)) this.upload(worker);
      if (!worker.connected) continue;
      while (worker.hasNews && this.random.chance(activity)) worker.handleNext();
      while (worker.outbox.length > 0 && this.random.chance(activity)) this.deliver(worker);
      if (worker.released) this.replace(worker);
      else if (worker.connected && (this.numTurns + index) % HEARTBEAT_TURNS === 0) {
        this.report(worker, { type: 'heartbeat', computeSilentMs: 0 });
      }
    }
    this.rings.advance();
    this.invariants.checkReplicas();
    this.apply({ type: 'tick' });
  }

  /** Every third worker is slow, for fifty turns. */
  private laneMsAt(index: number): number {
    return (index + Math.floor(this.numTurns / 50)) % 3 === 0 ? 40 : 10;
  }

  private fault(): void {
    const worker = this.random.pick([...this.workers.values()]);
    const jobId = `job-${this.random.below(NUM_JOBS)}`;
    const fault = drawFault(this.faults, this.random.next());
    if (worker === undefined) return;
    if (fault !== 'none') this.trace.note(this.nowMs, `fault ${fault}: ${worker.id}, ${jobId}`);
    switch (fault) {
      case 'die':
        worker.die();
        if (worker.connected) this.disconnect(worker);
        return;
      case 'cut':
        if (worker.connected) this.disconnect(worker);
        return;
      case 'connect':
        if (!worker.connected) this.connect(worker);
        return;
      case 'connectAnew':
        if (worker.connected && !worker.frozen) this.connect(worker);
        return;
      case 'freeze':
      case 'wake':
        worker.frozen = fault === 'freeze';
        return;
      case 'abort':
        if (worker.connected && !worker.frozen) worker.abort();
        return;
      case 'drain':
        this.apply({ type: 'drainRequested', workerId: worker.id, reason: 'simulated' });
        return;
      case 'cancel':
      case 'pause':
        this.apply({ type: `${fault}Requested`, jobId });
        return;
      case 'resume':
        this.resume();
        return;
      case 'restart':
        this.restart();
        return;
      case 'none':
        return;
    }
  }

  private addWorker(index: number, id = `worker-${index}`): void {
    this.workers.set(id, new SimulatedWorker(id, index % 5 === 2 ? 2 : 1));
  }

  /** A worker that was released is gone; another may come in its place. */
  private replace(worker: SimulatedWorker): void {
    this.disconnect(worker);
    this.workers.delete(worker.id);
    const id = `${worker.id}x`;
    this.workers.set(id, new SimulatedWorker(id, worker.threads));
  }

  private connect(worker: SimulatedWorker): void {
    worker.disconnect();
    worker.connected = true;
    const hello = testHello(worker.id, worker.threads, worker.held);
    this.apply({ type: 'workerConnected', hello });
  }

  private disconnect(worker: SimulatedWorker): void {
    worker.disconnect();
    this.apply({ type: 'workerDisconnected', workerId: worker.id, reason: 'simulated' });
  }

  private deliver(worker: SimulatedWorker): void {
    const message = worker.outbox.shift();
    if (message === undefined) return;
    if (message.type === 'stored') worker.answered(message, this.store(message));
    else this.report(worker, message);
  }

  /** By another connection than the reports, for the newest generation that the worker knows. */
  private upload(worker: SimulatedWorker): void {
    const { fence } = worker;
    const upload = worker.uploads.shift();
    if (upload !== undefined && fence !== null) this.store({ ...upload, fence });
  }

  /** False: it is refused. */
  private store({ fence, step }: Stored): boolean {
    if (!this.cluster.isCurrent(fence)) return false;
    this.stored.set(fence.jobId, Math.max(this.stored.get(fence.jobId) ?? 0, step));
    this.apply({ type: 'checkpointStored', fence, step });
    return true;
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
    this.trace.input(this.nowMs, input);
    const changed = this.mutation.effect ?? ((effect: ClusterEffect) => effect);
    const effects = this.cluster
      .apply(input, this.nowMs)
      .flatMap((effect) => changed(effect) ?? []);
    for (const effect of effects) this.trace.effect(this.nowMs, effect);
    this.invariants.check(this.cluster, input, effects);
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: ClusterEffect): void {
    if (effect.type === 'generationStarted' && RELIEF.test(effect.reason)) this.numReliefs += 1;
    if (effect.type === 'send') {
      const worker = this.workers.get(effect.workerId);
      if (worker?.connected === true) worker.inbox.push(effect.message);
    } else if (effect.type === 'disconnect') {
      this.workers.get(effect.workerId)?.disconnect();
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
}
