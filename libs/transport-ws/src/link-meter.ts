/** Smaller payloads say more about delays than about speed. */
const MIN_BYTES = 64 * 1024;
/** Share of the mean that a new payload makes. */
const WEIGHT = 0.1;

/**
 * Speed at which payloads come in over a link, each from its header to its last byte: what the sender
 * was not ready to send does not count. What waits in the system's buffers comes at the speed of
 * memory, so only a link slower than this process shows as what it is; those are what is looked for.
 */
export class LinkMeter {
  private beganMs = 0;
  private meanMsPerByte: number | null = null;

  constructor(private readonly now: () => number = () => performance.now()) {}

  get bytesPerSecond(): number | null {
    return this.meanMsPerByte === null ? null : 1_000 / this.meanMsPerByte;
  }

  begin(): void {
    this.beganMs = this.now();
  }

  end(numBytes: number): void {
    if (numBytes < MIN_BYTES) return;
    const msPerByte = Math.max(1e-3, this.now() - this.beganMs) / numBytes;
    const { meanMsPerByte } = this;
    this.meanMsPerByte =
      meanMsPerByte === null ? msPerByte : meanMsPerByte + WEIGHT * (msPerByte - meanMsPerByte);
  }
}
