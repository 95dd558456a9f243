import type { CoordinatorMessage, Fence } from '@skipring/protocol';
import type { Cluster } from '../cluster.js';
import type { ClusterEffect, ClusterInput } from '../messages.js';
import { copyCluster, stateOf } from './copy.js';
import { clusterKey, workerKey } from './model-key.js';
import { sent, testHello, testJob } from './fixture.js';
import { ModelLedger } from './model-ledger.js';
import {
  budgetOf,
  check,
  copyWorker,
  heldOf,
  JOB,
  membershipOf,
  newCluster,
  newWorker,
  ownMoves,
  ringOf,
  stepReport,
  type Budget,
  type Membership,
  type ModelSize,
  type ModelWorker,
} from './model-parts.js';
import { ModelRings } from './model-rings.js';

/**
 * A job on a small cluster: the real state machine of the coordinator, and workers of which each part
 * of a step, each message and each fault is a move of its own. Messages of a connection keep their
 * order; when it breaks, those under way are lost. Between connections and rings there is no order.
 */
export class Model {
  private workers = new Map<string, ModelWorker>();
  private rings: ModelRings;
  private cluster: Cluster;
  private ledger: ModelLedger;
  private checkpoint = 0;
  private attempt = 1;
  private isPaused = false;
  /** The newest step that the coordinator was told of. */
  private told = 0;
  private budget: Budget;
  hasEnded = false;

  constructor(private readonly size: ModelSize) {
    this.budget = budgetOf(size);
    this.rings = new ModelRings(this.workers, size.numSteps);
    this.ledger = new ModelLedger(size.numSteps);
    this.cluster = newCluster();
    for (let index = 0; index < size.numWorkers; index += 1) {
      this.workers.set(`w${index}`, newWorker());
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
      progress.push(...ownMoves(id, worker));
      progress.push(...this.rings.moves(id, worker));
      if (worker.isAlive && this.budget.crash > 0) faults.push(`crash ${id}`);
      if (link.worker && link.coordinator) {
        if (this.budget.cut > 0) faults.push(`cut-worker ${id}`, `cut-coordinator ${id}`);
        if (this.budget.drain > 0) faults.push(`drain ${id}`);
      }
    }
    const run = stateOf(this.cluster).jobs.get(JOB);
    if (run !== undefined && run.regroup !== null) progress.push('tick -');
    if (this.isPaused) progress.push('resume -');
    if (run?.state === 'running' || run?.state === 'waiting') {
      if (this.budget.pause > 0) faults.push('pause -');
    }
    if (this.budget.restart > 0) faults.push('restart -');
    return { progress, faults };
  }

  /** Makes a move; throws when it breaks an invariant. */
  move(name: string): void {
    const [kind = '', id = ''] = name.split(' ');
    const worker = this.workers.get(id);
    if (kind === 'tick') this.apply({ type: 'tick' });
    else if (kind === 'restart') this.restart();
    else if (kind === 'pause') {
      this.budget.pause -= 1;
      this.apply({ type: 'pauseRequested', jobId: JOB });
    } else if (kind === 'resume') this.resume();
    else if (worker !== undefined) this.moveWorker(kind, id, worker);
    this.rings.check();
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
    other.workers = new Map([...this.workers].map(([id, worker]) => [id, copyWorker(worker)]));
    other.rings = this.rings.copy(other.workers);
    other.cluster = copyCluster(this.cluster);
    other.budget = { ...this.budget };
    other.ledger = this.ledger.reopened();
    return other;
  }

  /** The same for states that behave the same: texts, clocks and constants are left out. */
  key(): string {
    const { budget, checkpoint, attempt, hasEnded, isPaused } = this;
    const reached = this.ledger.reached();
    const workers = [...this.workers.values()].map(workerKey);
    const parts = [clusterKey(this.cluster), workers, this.rings.key(), Object.values(budget)];
    return JSON.stringify([parts, checkpoint, attempt, reached, hasEnded, isPaused]);
  }

  private moveWorker(kind: string, id: string, worker: ModelWorker): void {
    const { membership } = worker;
    switch (kind) {
      case 'receive':
        this.receive(id, worker, worker.inbox.shift());
        return;
      case 'report': {
        const message = worker.outbox.shift();
        if (message !== undefined) this.apply({ type: 'workerMessage', workerId: id, message });
        return;
      }
      case 'close':
      case 'cut-coordinator':
        if (kind !== 'close') this.budget.cut -= 1;
        this.closeAtCoordinator(id, worker);
        return;
      case 'notice':
      case 'cut-worker':
        if (kind !== 'notice') this.budget.cut -= 1;
        this.leave(worker);
        return;
      case 'upload':
        this.upload(id, worker);
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
        worker.uploading = null;
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
        this.rings.vote(membership, id, step + 1);
        return;
      case 'commit':
        this.rings.checkVotes(membership, step);
        worker.step = step + 1;
        worker.outbox.push(stepReport(fence, rank, step + 1));
        return;
      case 'copy':
        membership.copied = step;
        worker.uploading = step;
        return;
      case 'finish':
        membership.isFinished = true;
        worker.outbox.push({ type: 'finished', fence, rank, modelSha256: `m${step}` });
        return;
    }
  }

  private receive(id: string, worker: ModelWorker, message: CoordinatorMessage | undefined): void {
    switch (message?.type) {
      case 'prepare': {
        const { fence, checkpointStep } = message;
        worker.step = Math.max(worker.step ?? 0, checkpointStep ?? 0);
        worker.membership = membershipOf(message);
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
        if (!message.checkpoint || worker.step === null) {
          worker.step = null;
        } else if (this.cluster.isCurrent(message.fence)) {
          this.store(message.fence, worker.step);
          worker.step = null;
        }
        worker.uploading = null;
        worker.membership = null;
        worker.outbox.push({ type: 'stopped', fence: message.fence });
        return;
      case 'released':
        worker.isGone = true;
        this.leave(worker);
        worker.step = null;
        this.closeAtCoordinator(id, worker);
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

  /** A copy of the state is stored, if the worker's generation is still the newest. */
  private upload(id: string, worker: ModelWorker): void {
    const { membership, uploading } = worker;
    worker.uploading = null;
    if (membership === null || uploading === null) return;
    if (!this.cluster.isCurrent(membership.fence)) {
      if (!membership.isAborted) this.abort(worker, membership);
      return;
    }
    this.store(membership.fence, uploading);
    const isLast = uploading === this.size.numSteps;
    if (isLast && membership.copied === uploading) this.rings.vote(membership, id, uploading + 1);
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
    this.cluster = newCluster();
    this.ledger = this.ledger.reopened();
    for (const worker of this.workers.values()) {
      worker.link.coordinator = false;
      worker.outbox = [];
      worker.inbox = [];
    }
    if (!this.isPaused) this.queue();
  }

  private resume(): void {
    this.isPaused = false;
    this.attempt += 1;
    this.ledger = this.ledger.reopened();
    this.queue();
  }

  private queue(): void {
    const { min, numWorkers } = this.size;
    const job = testJob(JOB, { min, max: numWorkers, lanes: numWorkers });
    const checkpointStep = this.checkpoint === 0 ? null : this.checkpoint;
    this.apply({ type: 'jobQueued', job: { ...job, attempt: this.attempt, checkpointStep } });
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
        return;
      case 'stepCommitted':
        this.told = Math.max(this.told, effect.metrics.step);
        this.ledger.commit(effect.fence, effect.metrics);
        return;
      case 'jobFinished':
        this.hasEnded = true;
        check(effect.modelSha256 === `m${this.size.numSteps}`, `ended as ${effect.modelSha256}`);
        check(this.checkpoint === this.size.numSteps, 'ended before its model was stored');
        this.ledger.checkEnd();
        return;
      case 'jobPaused': {
        this.isPaused = true;
        const { numCrashes, numCuts, numRestarts } = this.size;
        if (numCrashes + numCuts + numRestarts > 0) return;
        check(this.checkpoint >= this.told, `paused at ${this.checkpoint}, told of ${this.told}`);
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
      case 'layersProbed':
      case 'noticeGiven':
      case 'stragglerSeen':
        return;
    }
  }
}
