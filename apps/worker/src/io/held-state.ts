import type { CoordinatorMessage, Fence, WorkerMessage } from '@skipring/protocol';
import { isSameFence } from '../same-fence.js';

type Held = Extract<WorkerMessage, { type: 'hello' }>['held'];

/** What job's state this worker holds, as far as its own messages tell: said in the next `hello`. */
export class HeldState {
  private held: Held = null;
  /** Of a stop whose checkpoint is not acknowledged yet: until then the state is kept. */
  private leaving: Fence | null = null;

  get current(): Held {
    return this.held;
  }

  sent(message: WorkerMessage): void {
    if (message.type === 'ready') {
      this.held = { jobId: message.fence.jobId, step: message.position.step };
    } else if (message.type === 'step') {
      this.held = { jobId: message.fence.jobId, step: message.step };
    } else if (message.type === 'checkpoint' && this.isAcknowledged(message)) {
      this.held = null;
    }
  }

  /** A state is forgotten for a stop, at once or when it is stored, and for another job. */
  received(message: CoordinatorMessage): void {
    if (message.type === 'stop') {
      this.leaving = message.checkpoint ? message.fence : null;
      // Nothing is stored of a job that has not begun.
      if (!message.checkpoint || this.held?.step === 0) this.held = null;
    } else if (message.type === 'prepare' || message.type === 'load') {
      if (message.type === 'prepare') this.leaving = null;
      if (message.fence.jobId !== this.held?.jobId) this.held = null;
    }
  }

  /** A checkpoint that was under way at the stop, of an earlier step, is not the one that it asked for. */
  private isAcknowledged({
    fence,
    step,
    result,
  }: Extract<WorkerMessage, { type: 'checkpoint' }>): boolean {
    const { leaving, held } = this;
    if (leaving === null || held === null || result !== 'stored' || step < held.step) return false;
    return isSameFence(fence, leaving);
  }
}
