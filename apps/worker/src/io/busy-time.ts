/** How long at least one of several things that overlap was under way. */
export class BusyTime {
  private numRunning = 0;
  private since = 0;
  private totalMs = 0;

  /** @param now milliseconds from an arbitrary origin */
  constructor(private readonly now: () => number = () => performance.now()) {}

  begin(): void {
    if (this.numRunning === 0) this.since = this.now();
    this.numRunning += 1;
  }

  end(): void {
    this.numRunning -= 1;
    if (this.numRunning === 0) this.totalMs += this.now() - this.since;
  }

  /** Also of what is under way. */
  get ms(): number {
    return this.totalMs + (this.numRunning === 0 ? 0 : this.now() - this.since);
  }
}
