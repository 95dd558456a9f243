import { ForwardingProxy, type Link } from '../support/forwarding-proxy.js';

/** What the proxy keeps back of a checkpoint's upload. */
export type Held =
  /** The end of the request: the coordinator has the beginning of the checkpoint alone. */
  | 'request'
  /** The answer: the checkpoint is stored, and the worker does not know. */
  | 'answer';

/** Enough for the head of a request, and too little for a checkpoint. */
const FORWARDED_BYTES = 20_000;

/** Stands between workers and the coordinator, and can hold an upload of a checkpoint for ever. */
export class HoldingProxy {
  private held: Held | null = null;
  private pattern = /^$/;
  private onHeld: () => void = () => undefined;

  private constructor(private readonly proxy: ForwardingProxy) {
    proxy.onLink = (link) => {
      this.join(link);
    };
  }

  static async start(targetPort: number): Promise<HoldingProxy> {
    return new HoldingProxy(await ForwardingProxy.start(targetPort));
  }

  get url(): string {
    return this.proxy.url;
  }

  /** Holds the next upload of a checkpoint of this step; resolves when it is held. */
  hold(held: Held, step: number): Promise<void> {
    this.held = held;
    this.pattern = new RegExp(`^PUT /api/v1/internal/jobs/[^/]+/checkpoints/${step}\\?`);
    return new Promise((resolve) => {
      this.onHeld = resolve;
    });
  }

  async close(): Promise<void> {
    await this.proxy.close();
  }

  private join({ client: worker, target: coordinator }: Link): void {
    /** Of this pair of sockets. */
    let held: Held | null = null;
    let numForwarded = 0;
    worker.on('data', (bytes) => {
      if (this.held !== null && this.pattern.test(bytes.toString('latin1', 0, 200))) {
        held = this.held;
        this.held = null;
      }
      if (held !== 'request') {
        coordinator.write(bytes);
      } else if (numForwarded < FORWARDED_BYTES) {
        const part = bytes.subarray(0, FORWARDED_BYTES - numForwarded);
        numForwarded += part.length;
        coordinator.write(part);
        if (numForwarded === FORWARDED_BYTES) this.onHeld();
      }
    });
    coordinator.on('data', (bytes) => {
      if (held === 'answer') this.onHeld();
      else worker.write(bytes);
    });
  }
}
