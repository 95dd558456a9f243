/** How often the compute thread shows that its event loop turns. */
const PULSE_INTERVAL_MS = 250;

/**
 * Tells the I/O thread how long the compute thread has been silent. TensorFlow calls block their
 * thread, so a timer that no longer fires is a call that has not returned.
 */
export class Pulse {
  readonly buffer: SharedArrayBuffer;
  private readonly lastBeat: BigInt64Array;
  private timer: NodeJS.Timeout | null = null;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.lastBeat = new BigInt64Array(buffer);
  }

  start(): void {
    this.beat();
    this.timer = setInterval(() => {
      this.beat();
    }, PULSE_INTERVAL_MS);
    this.timer.unref();
  }

  beat(): void {
    Atomics.store(this.lastBeat, 0, BigInt(Date.now()));
  }

  silentMs(): number {
    return Math.max(0, Date.now() - Number(Atomics.load(this.lastBeat, 0)));
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
