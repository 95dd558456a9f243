import type { CoordinatorMessage, WorkerMessage } from '@skipring/protocol';

type Held = Extract<WorkerMessage, { type: 'hello' }>['held'];

/** What job's state this worker holds, as far as its own messages tell: said in the next `hello`. */
export class HeldState {
  private held: Held = null;

  get current(): Held {
    return this.held;
  }

  sent(message: WorkerMessage): void {
    if (message.type === 'ready') {
      this.held = { jobId: message.fence.jobId, step: message.position.step };
    } else if (message.type === 'step') {
      this.held = { jobId: message.fence.jobId, step: message.step };
    }
  }

  /** A state is forgotten for a stop, and for another job. */
  received(message: CoordinatorMessage): void {
    const isOther =
      (message.type === 'prepare' || message.type === 'load') &&
      message.fence.jobId !== this.held?.jobId;
    if (message.type === 'stop' || isOther) this.held = null;
  }
}
