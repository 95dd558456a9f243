import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

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
  private readonly sockets = new Set<Socket>();
  private held: Held | null = null;
  private pattern = /^$/;
  private onHeld: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (worker) => {
      this.join(worker);
    });
  }

  static async start(targetPort: number): Promise<HoldingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HoldingProxy(server, targetPort);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
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
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private join(worker: Socket): void {
    const coordinator = connect(this.targetPort, '127.0.0.1');
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
    for (const [socket, other] of [
      [worker, coordinator],
      [coordinator, worker],
    ] as const) {
      this.sockets.add(socket);
      socket.setNoDelay();
      // A reset is the other side's death, which is what tests bring about.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
