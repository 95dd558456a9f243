import { CollectiveError } from './collective-error.js';

/** Bounds the sends in flight: keeps the link busy without queueing a whole vector on it. */
export class SendWindow {
  private numInFlight = 0;
  private error: CollectiveError | null = null;
  private wake: (() => void) | null = null;

  constructor(private readonly capacity: number) {}

  /** Starts a send as soon as there is room. */
  async push(start: () => Promise<void>): Promise<void> {
    await this.atMost(this.capacity - 1);
    this.numInFlight++;
    start().then(
      () => {
        this.settle(null);
      },
      (error: unknown) => {
        this.settle(
          error instanceof CollectiveError
            ? error
            : new CollectiveError('PROTOCOL', `a send failed: ${String(error)}`, { cause: error }),
        );
      },
    );
  }

  /** Resolves when all sends are done. */
  drain(): Promise<void> {
    return this.atMost(0);
  }

  private async atMost(limit: number): Promise<void> {
    while (this.error === null && this.numInFlight > limit) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.error !== null) throw this.error;
  }

  private settle(error: CollectiveError | null): void {
    this.numInFlight--;
    this.error ??= error;
    this.wake?.();
    this.wake = null;
  }
}
