import type { CoordinatorMessage, Fence, StoredLedger } from '@skipring/protocol';
import { Cluster } from '../cluster.js';
import { Ledger } from '../ledger/ledger.js';
import type { ClusterEffect, ClusterInput } from '../messages.js';
import { reach } from '../ledger/audit.js';
import { copyCluster, stateOf } from './copy.js';
import { clusterKey, workerKey } from './model-key.js';
import { sent, testHello, testJob, testStep } from './fixture.js';
import type { Report } from './simulation/simulated-worker.js';

export interface ModelSize {
  readonly numWorkers: number;
  readonly numSteps: number;
  /** Least number of workers of the job. */
  readonly min: number;
  /** How often a worker dies; it comes back without its state. */
  readonly numCrashes: number;
  /** How often a connection to the coordinator breaks, seen by either side first. */
  readonly numCuts: number;
  /** How often the coordinator dies. */
  readonly numRestarts: number;
  /** How often a worker is drained; its process is gone then. */
  readonly numDrains: number;
  /** Members that are behind keep their own state: to see that the check finds it. */
  readonly isUnsynchronised?: boolean;
}

export interface Membership {
  readonly fence: Fence;
  readonly ring: string;
  readonly members: readonly string[];
  readonly lanes: readonly number[];
  readonly rank: number;
  start: { readonly step: number; readonly source: string; readonly isBehind: boolean } | null;
  isSynchronised: boolean;
  isAborted: boolean;
  isFinished: boolean;
  /** The step of the state whose checkpoint it has stored. */
  stored: number;
}

export interface ModelWorker {
  isAlive: boolean;
  isGone: boolean;
  /** Whether each side takes the connection for open. */
  link: { worker: boolean; coordinator: boolean };
  inbox: CoordinatorMessage[];
  outbox: Report[];
  /** Committed steps in the state that it holds; null: none is held. */
  step: number | null;
  membership: Membership | null;
}

const JOB = 'job';
const CHECKPOINT_AT = 1;

const check = (condition: boolean, message: string): void => {
  if (!condition) throw new Error(message);
};
const heldOf = ({ step }: ModelWorker) => (step === null ? null : { jobId: JOB, step });
const ringOf = ({ attempt, generation }: Fence): string => `${attempt}/${generation}`;

/**
 * A job on a small cluster: the real state machine of the coordinator, and workers of which each part
 * of a step, each message and each fault is a move of its own. Messages of a connection keep their
 * order; when it breaks, those under way are lost. Between connections and rings there is no order.
 */
export class Model {
  private workers = new Map<string, ModelWorker>();
  /** The newest step that each member of a ring has voted for. Votes may outlive their voter. */
  private votes = new Map<string, Map<string, number>>();
  private cluster: Cluster;
  private ledger: Ledger;
  private ledgerStored: StoredLedger | null = null;
  private checkpoint = 0;
  private attempt = 1;
  private budget: { crash: number; cut: number; restart: number; drain: number };
  hasEnded = false;

  constructor(private readonly size: ModelSize) {
    this.budget = {
      crash: size.numCrashes,
      cut: size.numCuts,
      restart: size.numRestarts,
      drain: size.numDrains,
    };
    this.ledger = this.openLedger();
    this.cluster = this.newCluster();
    for (let index = 0; index < size.numWorkers; index += 1) {
      this.workers.set(`w${index}`, {
        isAlive: true,
        isGone: false,
        link: { worker: false, coordinator: false },
        inbox: [],
        outbox: [],
        step: null,
        membership: null,
      });
      this.connect(`w${index}`);
    }
    this.queue();
  }

  /** All that can happen next, by name. Faults come last. */
  moves(): { progress: string[]; faults: string[] } {
    if (this.hasEnded) return { progress: [], faults: [] };
    const progress: string[] = [];
    const faults: string[] = [];
    for (const [id, worker] of this.workers) {
      const { link } = worker;
      if (worker.isGone) continue;
      if (worker.inbox.length > 0 && link.worker) progress.push(`receive ${id}`);
      if (worker.outbox.length > 0 && link.coordinator) progress.push(`report ${id}`);
      if (link.coordinator && !link.worker) progress.push(`close ${id}`);
      if (link.worker && !link.coordinator) progress.push(`notice ${id}`);
      if (!link.worker && worker.isAlive) progress.push(`connect ${id}`);
      if (!worker.isAlive) progress.push(`reboot ${id}`);
      progress.push(...this.ringMoves(id, worker));
      if (worker.isAlive && this.budget.crash > 0) faults.push(`crash ${id}`);
      if (link.worker && link.coordinator) {
        if (this.budget.cut > 0) faults.push(`cut-worker ${id}`, `cut-coordinator ${id}`);
        if (this.budget.drain > 0) faults.push(`drain ${id}`);
      }
    }
    const run = stateOf(this.cluster).jobs.get(JOB);
    if (run !== undefined && run.regroup !== null) progress.push('tick -');
    if (this.budget.restart > 0) faults.push('restart -');
    return { progress, faults };
  }

  /** Makes a move; throws when it breaks an invariant. */
  move(name: string): void {
    const [kind = '', id = ''] = name.split(' ');
    const worker = this.workers.get(id);
    if (kind === 'tick') this.apply({ type: 'tick' });
    else if (kind === 'restart') this.restart();
    else if (worker !== undefined) this.moveWorker(kind, id, worker);
    this.checkRings();
  }

  /** What must hold when nothing but a fault can happen any more. */
  checkRest(): void {
    if (this.hasEnded) return;
    const present = [...this.workers.values()].filter(({ isGone }) => !isGone).length;
    check(
      present < this.size.min,
      `the job does not go on: ${this.cluster.job(JOB)?.reason ?? ''}`,
    );
  }

  copy(): Model {
    const other = Object.create(Model.prototype) as Model;
    Object.assign(other, this);
    other.workers = new Map(
      [...this.workers].map(([id, worker]) => [
        id,
        {
          ...worker,
          link: { ...worker.link },
          inbox: [...worker.inbox],
          outbox: [...worker.outbox],
          membership: worker.membership === null ? null : { ...worker.membership },
        },
      ]),
    );
    other.votes = new Map([...this.votes].map(([ring, votes]) => [ring, new Map(votes)]));
    other.cluster = copyCluster(this.cluster);
    other.budget = { ...this.budget };
    other.ledger = other.openLedger();
    return other;
  }

  /** The same for states that behave the same: texts, clocks and constants are left out. */
  key(): string {
    const { budget, checkpoint, attempt, ledgerStored, hasEnded } = this;
    const reached = reach(ledgerStored?.epochs[0]?.ranges ?? []);
    const workers = [...this.workers.values()].map(workerKey);
    const rings = new Set([...this.workers.values()].map(({ membership }) => membership?.ring));
    const votes = [...this.votes].flatMap(([ring, cast]) =>
      rings.has(ring) ? [ring, ...[...cast].sort().flat()] : [],
    );
    const parts = [clusterKey(this.cluster), workers, votes, Object.values(budget)];
    return JSON.stringify([parts, checkpoint, attempt, reached, hasEnded]);
  }

  private ringMoves(id: string, { membership, step, isAlive }: ModelWorker): string[] {
    if (membership === null || !isAlive || step === null) return [];
    if (membership.start === null || membership.isAborted || membership.isFinished) return [];
    const moves: string[] = [];
    if (this.isBroken(membership)) moves.push(`abort ${id}`);
    if (!membership.isSynchronised) {
      const source = this.workers.get(membership.start.source)?.membership;
      if (source?.ring === membership.ring && source.start !== null && !source.isAborted) {
        moves.push(`synchronise ${id}`);
      }
      return moves;
    }
    const { numSteps } = this.size;
    const isDue = step === CHECKPOINT_AT || step === numSteps;
    if (membership.rank === 0 && isDue && membership.stored < step) moves.push(`store ${id}`);
    else if (step === numSteps) {
      const [first = ''] = membership.members;
      if (this.voteOf(membership, first) > numSteps) moves.push(`finish ${id}`);
    } else if (this.voteOf(membership, id) <= step) moves.push(`vote ${id}`);
    else if (membership.members.every((member) => this.voteOf(membership, member) > step)) {
      moves.push(`commit ${id}`);
    }
    return moves;
  }

  private moveWorker(kind: string, id: string, worker: ModelWorker): void {
    const { membership } = worker;
    switch (kind) {
      case 'receive':
        this.receive(worker, worker.inbox.shift());
        return;
      case 'report': {
        const message = worker.outbox.shift();
        if (message !== undefined) this.apply({ type: 'workerMessage', workerId: id, message });
        return;
      }
      case 'close':
        this.closeAtCoordinator(id, worker);
        return;
      case 'cut-coordinator':
        this.budget.cut -= 1;
        this.closeAtCoordinator(id, worker);
        return;
      case 'notice':
        this.leave(worker);
        return;
      case 'cut-worker':
        this.budget.cut -= 1;
        this.leave(worker);
        return;
      case 'connect':
        this.connect(id);
        return;
      case 'reboot':
        worker.isAlive = true;
        return;
      case 'crash':
        this.budget.crash -= 1;
        worker.isAlive = false;
        worker.step = null;
        this.leave(worker);
        return;
      case 'drain':
        this.budget.drain -= 1;
        this.apply({ type: 'drainRequested', workerId: id, reason: 'model' });
        return;
      default:
        if (membership !== null) this.moveRing(kind, id, worker, membership);
    }
  }

  private moveRing(kind: string, id: string, worker: ModelWorker, membership: Membership): void {
    const { fence, rank } = membership;
    const step = worker.step ?? 0;
    switch (kind) {
      case 'abort':
        this.abort(worker, membership);
        return;
      case 'synchronise':
        if (membership.start?.isBehind === true && this.size.isUnsynchronised !== true) {
          worker.step = membership.start.step;
        }
        // Invariant 3: all members begin with the same state.
        check(
          worker.step === membership.start?.step,
          `rank ${rank} starts with step ${worker.step}, expected ${membership.start?.step}`,
        );
        membership.isSynchronised = true;
        return;
      case 'vote':
        this.vote(membership, id, step + 1);
        return;
      case 'commit':
        this.checkVotes(membership, step);
        worker.step = step + 1;
        worker.outbox.push(this.stepReport(fence, rank, step + 1));
        return;
      case 'store':
        if (!this.cluster.isCurrent(fence)) {
          this.abort(worker, membership);
          return;
        }
        membership.stored = step;
        this.store(fence, step);
        if (step === this.size.numSteps) this.vote(membership, id, step + 1);
        return;
      case 'finish':
        membership.isFinished = true;
        worker.outbox.push({ type: 'finished', fence, rank, modelSha256: `m${step}` });
        return;
    }
  }

  private receive(worker: ModelWorker, message: CoordinatorMessage | undefined): void {
    switch (message?.type) {
      case 'prepare': {
        const { fence, members, rank, checkpointStep } = message;
        worker.step = Math.max(worker.step ?? 0, checkpointStep ?? 0);
        worker.membership = {
          fence,
          ring: ringOf(fence),
          members: members.map(({ workerId }) => workerId),
          lanes: members[rank]?.lanes ?? [],
          rank,
          start: null,
          isSynchronised: false,
          isAborted: false,
          isFinished: false,
          stored: 0,
        };
        const position = { step: worker.step, epoch: 0, cursor: worker.step };
        worker.outbox.push({ type: 'ready', fence, position, stateHash: `s${worker.step}` });
        return;
      }
      case 'load':
        worker.outbox.push({ type: 'loaded', fence: message.fence, error: null });
        return;
      case 'start': {
        const { membership } = worker;
        if (membership?.ring !== ringOf(message.fence)) return;
        const { step } = message.position;
        check((worker.step ?? 0) <= step, `a start at ${step} throws away ${worker.step}`);
        membership.start = {
          step,
          source: membership.members[message.sourceRank] ?? '',
          isBehind: message.behind.includes(membership.rank),
        };
        return;
      }
      case 'stop':
        if (message.checkpoint && worker.step !== null && this.cluster.isCurrent(message.fence)) {
          this.store(message.fence, worker.step);
        }
        worker.step = null;
        worker.membership = null;
        worker.outbox.push({ type: 'stopped', fence: message.fence });
        return;
      case 'released':
        worker.isGone = true;
        this.leave(worker);
        worker.step = null;
        this.closeAtCoordinator(
          [...this.workers].find(([, other]) => other === worker)?.[0] ?? '',
          worker,
        );
        return;
      case 'welcome':
      case 'faults':
      case 'refused':
      case undefined:
        return;
    }
  }

  private abort(worker: ModelWorker, membership: Membership): void {
    membership.isAborted = true;
    const step = worker.step ?? 0;
    worker.outbox.push({
      type: 'aborted',
      fence: membership.fence,
      code: 'PEER_LOST',
      message: 'model',
      fatal: false,
      position: { step, epoch: 0, cursor: step },
    });
  }

  /** A ring fails once a member has left it; until then each rank may go on without knowing. */
  private isBroken({ ring, members }: Membership): boolean {
    return members.some((id) => {
      const other = this.workers.get(id)?.membership;
      return other?.ring !== ring || other.isAborted;
    });
  }

  private vote({ ring }: Membership, id: string, step: number): void {
    const votes = this.votes.get(ring) ?? new Map<string, number>();
    this.votes.set(ring, votes.set(id, step));
  }

  private voteOf({ ring }: Membership, id: string): number {
    return this.votes.get(ring)?.get(id) ?? 0;
  }

  /** Invariants 1 and 2: a step is summed over one and the same state, and no rank skips any. */
  private checkVotes(membership: Membership, step: number): void {
    const members = membership.members.map((id) => this.workers.get(id));
    for (const [rank, member] of members.entries()) {
      const other = member?.membership;
      if (other?.ring !== membership.ring) continue;
      const ahead = (member?.step ?? 0) - step;
      check(
        ahead === 0 || ahead === 1,
        `rank ${rank} votes at ${member?.step}, another at ${step}`,
      );
    }
  }

  /** Invariants 3 and 5: members that train together hold the same step, or one is a commit ahead. */
  private checkRings(): void {
    const steps = new Map<string, number[]>();
    const lanes = new Map<string, number[]>();
    for (const { membership, step } of this.workers.values()) {
      if (membership?.isSynchronised !== true || step === null) continue;
      steps.set(membership.ring, [...(steps.get(membership.ring) ?? []), step]);
      lanes.set(membership.ring, [...(lanes.get(membership.ring) ?? []), ...membership.lanes]);
    }
    for (const [ring, held] of steps) {
      check(Math.max(...held) - Math.min(...held) <= 1, `ring ${ring} holds steps ${held.join()}`);
      const owned = lanes.get(ring) ?? [];
      check(new Set(owned).size === owned.length, `ring ${ring} computes lanes ${owned.join()}`);
    }
  }

  private store(fence: Fence, step: number): void {
    this.checkpoint = Math.max(this.checkpoint, step);
    this.apply({ type: 'checkpointStored', fence, step });
  }

  private connect(id: string): void {
    const worker = this.workers.get(id);
    if (worker === undefined) return;
    worker.link = { worker: true, coordinator: true };
    worker.inbox = [];
    worker.outbox = [];
    this.apply({ type: 'workerConnected', hello: testHello(id, 1, heldOf(worker)) });
  }

  /** The worker knows that its connection is gone: it leaves the ring and keeps its state. */
  private leave(worker: ModelWorker): void {
    worker.link.worker = false;
    worker.inbox = [];
    worker.membership = null;
  }

  /** The coordinator knows: what was still under way is lost. */
  private closeAtCoordinator(id: string, worker: ModelWorker): void {
    worker.link.coordinator = false;
    worker.outbox = [];
    worker.inbox = [];
    this.apply({ type: 'workerDisconnected', workerId: id, reason: 'model' });
  }

  private restart(): void {
    this.budget.restart -= 1;
    this.attempt += 1;
    this.cluster = this.newCluster();
    this.ledger = this.openLedger();
    for (const worker of this.workers.values()) {
      worker.link.coordinator = false;
      worker.outbox = [];
      worker.inbox = [];
    }
    this.queue();
  }

  private newCluster(): Cluster {
    return new Cluster(() => 'ring-token-of-the-model', { abortGraceMs: 0, growthIntervalMs: 0 });
  }

  private openLedger(): Ledger {
    return new Ledger({ numSamples: this.size.numSteps, batchSize: 1 }, this.ledgerStored);
  }

  private queue(): void {
    const { min, numWorkers } = this.size;
    const job = testJob(JOB, { min, max: numWorkers, lanes: numWorkers });
    const checkpointStep = this.checkpoint === 0 ? null : this.checkpoint;
    this.apply({ type: 'jobQueued', job: { ...job, attempt: this.attempt, checkpointStep } });
  }

  private stepReport(fence: Fence, rank: number, step: number): Report {
    const report = testStep(fence, rank, step, null);
    return report.metrics === null
      ? report
      : { ...report, metrics: { ...report.metrics, cursor: step } };
  }

  private apply(input: ClusterInput): void {
    const effects = this.cluster.apply(input, 0);
    for (const { workerId, message } of sent(effects, 'start')) {
      check(message.position.step >= this.checkpoint, `${workerId} starts before the checkpoint`);
    }
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: ClusterEffect): void {
    switch (effect.type) {
      case 'send': {
        const worker = this.workers.get(effect.workerId);
        if (worker?.link.coordinator === true && worker.link.worker)
          worker.inbox.push(effect.message);
        return;
      }
      case 'disconnect': {
        const worker = this.workers.get(effect.workerId);
        if (worker !== undefined) worker.link.coordinator = false;
        return;
      }
      case 'generationStarted':
        this.ledger.begin(effect.fence, effect.step);
        this.keepLedger();
        return;
      case 'stepCommitted':
        this.ledger.commit(effect.fence, effect.metrics);
        this.keepLedger();
        return;
      case 'jobFinished': {
        this.hasEnded = true;
        check(effect.modelSha256 === `m${this.size.numSteps}`, `ended as ${effect.modelSha256}`);
        check(this.checkpoint === this.size.numSteps, 'ended before its model was stored');
        const [epoch] = this.ledgerStored?.epochs ?? [];
        check(epoch?.verdict === 'exact', `the ledger is ${JSON.stringify(epoch)}`);
        return;
      }
      case 'attemptFailed':
        throw new Error(`the attempt failed: ${effect.reason}`);
      case 'jobState':
      case 'rankStep':
      case 'evaluationDone':
      case 'hashesCompared':
      case 'memberLost':
      case 'checkpointFailed':
      case 'loadFailed':
      case 'jobCancelled':
      case 'jobPaused':
      case 'layersProbed':
      case 'noticeGiven':
        return;
    }
  }

  private keepLedger(): void {
    const findings = this.ledger.takeFindings();
    check(findings.length === 0, `the ledger finds ${JSON.stringify(findings)}`);
    const { summary, epochs } = this.ledger.takeChange();
    const stored = new Map(this.ledgerStored?.epochs.map((entry) => [entry.epoch, entry]));
    for (const [epoch, entry] of epochs) if (entry !== null) stored.set(epoch, entry);
    this.ledgerStored = { summary, epochs: [...stored.values()] };
  }
}
