/** Weight of the newest step in the mean: that of about the last ten steps. */
const WEIGHT = 0.1;

/** Images per second over the last steps, and the time left at that pace. */
export class Throughput {
  private samples = 0;
  private seconds = 0;

  observe(samples: number, ms: number): void {
    if (ms <= 0) return;
    const isFirst = this.seconds === 0;
    const weight = isFirst ? 1 : WEIGHT;
    this.samples += weight * (samples - this.samples);
    this.seconds += weight * (ms / 1_000 - this.seconds);
  }

  /** 0 before the first step. */
  get imagesPerSecond(): number {
    return this.seconds === 0 ? 0 : this.samples / this.seconds;
  }

  /** Time for so many more steps like the last ones; null before the first step. */
  etaMs(numSteps: number): number | null {
    return this.seconds === 0 ? null : Math.round(numSteps * this.seconds * 1_000);
  }
}
