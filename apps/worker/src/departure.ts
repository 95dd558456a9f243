/** Of a grace period, kept for the way to the coordinator and back. */
const MARGIN_MS = 500;

export interface DepartureActions {
  /** Asks the coordinator to drain this worker within a time. */
  sendLeave(reason: string, graceMs: number): void;
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
  private endsAtMs = 0;

  /** @param graceMs from the first signal to the end, whatever the coordinator says */
  constructor(
    private readonly actions: DepartureActions,
    private readonly graceMs: number,
  ) {}

  /** A coordinator that restarted meanwhile knows of no `leave`, so it is told again. */
  connected(): void {
    this.isConnected = true;
    if (this.reason !== null) this.sendLeave(this.reason);
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
    this.endsAtMs = performance.now() + this.graceMs;
    this.sendLeave(signal);
    this.timer = setTimeout(() => {
      this.end(1);
    }, this.graceMs);
  }

  /** The coordinator gives up a little earlier: what it then sends still arrives. */
  private sendLeave(reason: string): void {
    const leftMs = Math.max(0, this.endsAtMs - performance.now() - MARGIN_MS);
    this.actions.sendLeave(reason, Math.floor(leftMs));
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
