/** How a rank finds out that a neighbour is frozen or cut off, though its socket looks open. */
export interface SilenceLimits {
  /** How often a neighbour is asked for a sign of life. */
  readonly pingIntervalMs: number;
  /** A neighbour silent for this long is gone. */
  readonly limitMs: number;
}

/**
 * Adds up the time in which nothing came. Time counts by turns of this rank's own timer, each at
 * most twice its interval: a rank that was itself frozen must not blame its neighbours for that.
 */
export class SilenceWatch {
  private progress = Number.NaN;
  private silentMs = 0;

  constructor(private readonly intervalMs: number) {}

  /**
   * @param progress any number that changes when something came
   * @param elapsedMs since the last call
   * @returns how long nothing has come
   */
  observe(progress: number, elapsedMs: number): number {
    if (progress !== this.progress) this.silentMs = 0;
    else this.silentMs += Math.min(elapsedMs, 2 * this.intervalMs);
    this.progress = progress;
    return this.silentMs;
  }
}
