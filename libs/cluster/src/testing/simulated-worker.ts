import type { CoordinatorMessage, Fence, Position, WorkerMessage } from '@skipring/protocol';
import type { Hello } from '../messages.js';
import { testStep } from './fixture.js';

type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;
export type Report = Exclude<WorkerMessage, Hello>;

/** Optimizer steps of a simulated job. */
export const NUM_STEPS = 12;

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
  readonly outbox: (Report | { type: 'stored'; fence: Fence; step: number })[] = [];
  connected = false;
  frozen = false;
  /** Held state: survives a lost connection, as that of a real process does. */
  state: { jobId: string; attempt: number; step: number } | null = null;
  membership: SimulatedMembership | null = null;
  released = false;

  constructor(
    readonly id: string,
    readonly threads: number,
  ) {}

  /** Handles the oldest message of the inbox. */
  handleNext(): void {
    const message = this.inbox.shift();
    switch (message?.type) {
      case 'prepare':
        this.prepare(message);
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
    const { fence, rank } = membership.prepare;
    if (state.step < NUM_STEPS) {
      state.step += 1;
      this.outbox.push(testStep(fence, rank, state.step, `s${state.step}`));
      if (rank === 0 && state.step % 4 === 0) this.store(fence);
      return;
    }
    membership.finished = true;
    if (rank === 0) this.store(fence);
    this.outbox.push({ type: 'finished', fence, rank, modelSha256: 'm' });
  }

  private prepare(prepare: Prepare): void {
    const { jobId, attempt } = prepare.fence;
    const stored = prepare.checkpointStep ?? 0;
    const own = this.state?.jobId === jobId && this.state.attempt === attempt ? this.state.step : 0;
    this.state = { jobId, attempt, step: Math.max(own, stored) };
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
    if (this.state?.jobId === fence.jobId) {
      if (checkpoint) this.store(fence);
      this.state = null;
    }
    this.membership = null;
    this.outbox.push({ type: 'stopped', fence });
  }

  private store(fence: Fence): void {
    if (this.state === null) return;
    this.outbox.push({ type: 'stored', fence, step: this.state.step });
  }
}
