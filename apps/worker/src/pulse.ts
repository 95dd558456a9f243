import { SilenceWatch } from '@skipring/transport-ws';

/** How often the compute thread shows that its event loop turns, and the I/O thread looks. */
const PULSE_INTERVAL_MS = 250;

/**
 * The compute thread's sign of life. TensorFlow calls block their thread, so a timer that no longer
 * fires is a call that has not returned.
 */
export class Pulse {
  readonly buffer = new SharedArrayBuffer(4);
  private readonly beats = new Int32Array(this.buffer);
  private timer: NodeJS.Timeout | null = null;

  start(): void {
    this.timer = setInterval(() => {
      this.beat();
    }, PULSE_INTERVAL_MS);
    this.timer.unref();
  }

  beat(): void {
    Atomics.add(this.beats, 0, 1);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}

/**
 * The I/O thread's view of it. A process that was frozen as a whole does not blame its compute
 * thread: see `SilenceWatch`.
 */
export class PulseWatch {
  silentMs = 0;
  private readonly beats: Int32Array;
  private readonly watch = new SilenceWatch(PULSE_INTERVAL_MS);
  private readonly timer: NodeJS.Timeout;
  private lastMs = performance.now();

  /** @param onLook called after each look */
  constructor(
    buffer: SharedArrayBuffer,
    private readonly onLook: (silentMs: number) => void,
  ) {
    this.beats = new Int32Array(buffer);
    this.timer = setInterval(() => {
      this.look();
    }, PULSE_INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const elapsedMs = performance.now() - this.lastMs;
    this.lastMs += elapsedMs;
    this.silentMs = this.watch.observe(Atomics.load(this.beats, 0), elapsedMs);
    this.onLook(this.silentMs);
  }
}
