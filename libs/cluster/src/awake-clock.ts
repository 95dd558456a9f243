/** A gap this long between two readings is a stall of the reader; it reads far more often. */
const STALL_MS = 1_000;

/**
 * Time in which whoever reads it was awake. A coordinator whose event loop stood still (SIGSTOP, a
 * machine that was suspended or starved) finds the signs of life of its workers still unread: that
 * time must not count against them. To be read at least every few hundred milliseconds.
 */
export class AwakeClock {
  private lastMs: number;
  private stalledMs = 0;

  /** @param rawMs of a monotonic clock that goes on in a stall */
  constructor(private readonly rawMs: () => number) {
    this.lastMs = rawMs();
  }

  now(): number {
    const rawMs = this.rawMs();
    const gapMs = rawMs - this.lastMs;
    this.lastMs = rawMs;
    if (gapMs > STALL_MS) this.stalledMs += gapMs;
    return rawMs - this.stalledMs;
  }
}
