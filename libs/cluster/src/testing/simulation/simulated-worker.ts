import type { CoordinatorMessage, Fence, Position, WorkerMessage } from '@skipring/protocol';
import type { Hello } from '../../messages.js';
import { testStep } from '../fixture.js';
import { fenceKey } from './fence-key.js';

type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;
export type Report = Exclude<WorkerMessage, Hello>;

/** Optimizer steps of a simulated job. */
export const NUM_STEPS = 12;

/** The upload of a checkpoint. */
export interface Stored {
  readonly type: 'stored';
  readonly fence: Fence;
  readonly step: number;
}

export interface SimulatedMembership {
  readonly prepare: Prepare;
  /** `start` has arrived: this rank may take part in a step. */
  startStep: number | null;
  /** Left because of an error; the state stays. */
  aborted: boolean;
  finished: boolean;
}

const positionAt = (step: number): Position => ({ step, epoch: 0, cursor: step });

/** A worker that follows the control protocol: messages in from an inbox, reports out to an outbox. */
export class SimulatedWorker {
  readonly inbox: CoordinatorMessage[] = [];
  readonly outbox: (Report | Stored)[] = [];
  /** Checkpoints on their way beside training, by another connection; a worker that dies loses them. */
  readonly uploads: Stored[] = [];
  /** Asked for by a `stop`: until it is answered, the worker does nothing else and keeps its state. */
  private storing: Stored | null = null;
  private answer: { readonly isStored: boolean } | null = null;
  /** Of the newest generation that it was told to prepare. */
  fence: Fence | null = null;
  connected = false;
  frozen = false;
  /** When it connects again, after a restart of the coordinator. */
  reconnectTurn = -1;
  /** Held state: survives a lost connection, as that of a real process does. */
  state: { jobId: string; step: number } | null = null;
  membership: SimulatedMembership | null = null;
  released = false;
  /** Time that a lane takes it. */
  laneMs = 0;

  constructor(
    readonly id: string,
    readonly threads: number,
  ) {}

  /** `start` has arrived in the generation that it is in. */
  get hasStarted(): boolean {
    return typeof this.membership?.startStep === 'number';
  }

  /** Whether it takes part in a generation's ring. */
  isIn(key: string): boolean {
    const { membership } = this;
    if (!this.connected || membership === null || membership.aborted) return false;
    return fenceKey(membership.prepare.fence) === key;
  }

  /** Its connection is gone: it leaves its ring and keeps its state. */
  disconnect(): void {
    this.connected = false;
    this.inbox.length = 0;
    this.outbox.length = 0;
    this.storing = null;
    this.answer = null;
    this.membership = null;
  }

  /** The process dies, and its state with it. */
  die(): void {
    this.state = null;
    this.membership = null;
    this.frozen = false;
    this.uploads.length = 0;
  }

  /** A member that is behind `start` receives the state of its peers. */
  receiveState(): void {
    const start = this.membership?.startStep ?? 0;
    if (this.state !== null) this.state.step = Math.max(this.state.step, start);
  }

  /** What it says in `hello` that it has kept. */
  get held(): Hello['held'] {
    return this.state === null ? null : { jobId: this.state.jobId, step: this.state.step };
  }

  /** Something to handle has arrived, and it is not waiting for something else. */
  get hasNews(): boolean {
    return this.storing === null ? this.inbox.length > 0 : this.answer !== null;
  }

  /** An upload has arrived at the coordinator, and an answer to it is on its way. */
  answered(upload: Stored, isStored: boolean): void {
    if (upload === this.storing) this.answer = { isStored };
  }

  /** Handles what it waits for, or the oldest message of the inbox. */
  handleNext(): void {
    if (this.storing !== null) {
      this.finishStop(this.storing.fence);
      return;
    }
    const message = this.inbox.shift();
    switch (message?.type) {
      case 'prepare':
        this.prepare(message);
        return;
      case 'load':
        if (this.state?.jobId !== message.fence.jobId) this.state = null;
        this.outbox.push({ type: 'loaded', fence: message.fence, error: null });
        return;
      case 'start':
        if (this.membership?.prepare.fence.generation !== message.fence.generation) return;
        if (this.membership.prepare.fence.jobId !== message.fence.jobId) return;
        this.membership.startStep = message.position.step;
        return;
      case 'stop':
        this.stop(message.fence, message.checkpoint);
        return;
      case 'released':
        this.released = true;
        return;
      case 'welcome':
      case 'faults':
      case 'refused':
      case undefined:
        return;
    }
  }

  abort(): void {
    const { membership, state } = this;
    if (membership === null || membership.aborted || state === null) return;
    membership.aborted = true;
    this.outbox.push({
      type: 'aborted',
      fence: membership.prepare.fence,
      code: 'PEER_LOST',
      message: 'simulated',
      fatal: false,
      position: positionAt(state.step),
    });
  }

  /** Commits one step, or finishes after the last. */
  advance(): void {
    const { membership, state } = this;
    if (membership === null || state === null || membership.finished) return;
    const { fence, rank, members } = membership.prepare;
    if (state.step < NUM_STEPS) {
      state.step += 1;
      const computeMs = this.laneMs * (members[rank]?.lanes.length ?? 0);
      this.outbox.push(testStep(fence, rank, state.step, `s${state.step}`, computeMs));
      if (rank === 0 && state.step % 4 === 0) this.uploads.push(this.stored(fence, state.step));
      return;
    }
    membership.finished = true;
    if (rank === 0) this.outbox.push(this.stored(fence, state.step));
    this.outbox.push({ type: 'finished', fence, rank, modelSha256: 'm' });
  }

  private prepare(prepare: Prepare): void {
    const { jobId } = prepare.fence;
    const stored = prepare.checkpointStep ?? 0;
    const own = this.state?.jobId === jobId ? this.state.step : 0;
    if (this.state?.jobId !== jobId) this.uploads.length = 0;
    this.state = { jobId, step: Math.max(own, stored) };
    this.fence = prepare.fence;
    this.membership = { prepare, startStep: null, aborted: false, finished: false };
    const { step } = this.state;
    this.outbox.push({
      type: 'ready',
      fence: prepare.fence,
      position: positionAt(step),
      stateHash: `s${step}`,
    });
  }

  private stop(fence: Fence, checkpoint: boolean): void {
    this.uploads.length = 0;
    this.membership = null;
    if (checkpoint && this.state?.jobId === fence.jobId) {
      this.storing = this.stored(fence, this.state.step);
      this.outbox.push(this.storing);
      return;
    }
    if (this.state?.jobId === fence.jobId) this.state = null;
    this.outbox.push({ type: 'stopped', fence });
  }

  /** A state that could not be stored is kept. */
  private finishStop(fence: Fence): void {
    if (this.answer?.isStored === true) this.state = null;
    this.storing = null;
    this.answer = null;
    this.outbox.push({ type: 'stopped', fence });
  }

  private stored(fence: Fence, step: number): Stored {
    return { type: 'stored', fence, step };
  }
}
