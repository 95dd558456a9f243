import { STOP_DEADLINES_MS } from '@skipring/protocol';

export interface DepartureActions {
  /** Asks the coordinator to drain this worker. */
  sendLeave(reason: string): void;
  /** Closes everything in order, then exits. */
  shutDown(exitCode: number): void;
  /** Exits without closing anything. */
  exitNow(exitCode: number): void;
}

/**
 * How a worker goes. The first signal: the coordinator takes its lanes and releases it, within a
 * time; without a coordinator there is nobody to hand over to. Any later signal: at once.
 */
export class Departure {
  private isConnected = false;
  private isGoing = false;
  /** Of a `leave` that is not answered yet. */
  private reason: string | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly actions: DepartureActions) {}

  /** A coordinator that restarted meanwhile knows of no `leave`, so it is told again. */
  connected(): void {
    this.isConnected = true;
    if (this.reason !== null) this.actions.sendLeave(this.reason);
  }

  disconnected(): void {
    this.isConnected = false;
  }

  signalled(signal: string): void {
    if (this.isGoing) {
      this.actions.exitNow(1);
      return;
    }
    this.isGoing = true;
    if (!this.isConnected) {
      this.actions.shutDown(0);
      return;
    }
    this.reason = signal;
    this.actions.sendLeave(signal);
    this.timer = setTimeout(() => {
      this.end(1);
    }, STOP_DEADLINES_MS.workerLeave);
  }

  /** Goes now, in order: released, the parent is gone, or a thread failed. */
  end(exitCode: number): void {
    this.isGoing = true;
    this.reason = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.actions.shutDown(exitCode);
  }
}
