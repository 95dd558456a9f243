import { CollectiveError } from './collective-error.js';
import { InboxTransport, type InboxTransportOptions } from './inbox-transport.js';
import type { SegmentKey } from './transport.js';
import type { GroupOptions, TransportGroup } from './transport-group.js';

/** One direction between two ranks: events arrive in order, later, and may be held up. */
class InProcessLink {
  private readonly events: (() => void)[] = [];
  private paused = false;

  push(event: () => void): void {
    this.events.push(event);
    setImmediate(() => {
      this.flush(1);
    });
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    setImmediate(() => {
      this.flush(Infinity);
    });
  }

  private flush(limit: number): void {
    for (let i = 0; i < limit && !this.paused; i++) {
      const event = this.events.shift();
      if (event === undefined) return;
      event();
    }
  }
}

/** Transport between ranks of one process, to try things out and for tests. Reads a payload late, as a socket would. */
class InProcessTransport extends InboxTransport {
  override readonly incomingBytesPerSecond = null;
  private neighbours: { next: InProcessTransport; previous: InProcessTransport } | null = null;
  private readonly incoming = new InProcessLink();
  /** Aborts of the next rank come against the ring. */
  private readonly control = new InProcessLink();
  private gone = false;

  constructor(options: InboxTransportOptions) {
    super(options);
  }

  join(next: InProcessTransport, previous: InProcessTransport): void {
    this.neighbours = { next, previous };
  }

  crash(): void {
    this.leaveWith((neighbour) => {
      neighbour.abort(neighbour.peerClosed(this.rank));
    });
    this.abort(this.peerClosed(this.rank, new Error('crashed')));
  }

  protected override transmit(key: SegmentKey, payload: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      const next = this.neighbours?.next;
      next?.incoming.push(() => {
        next.deliver(key, new Uint8Array(payload));
        resolve(payload.byteLength);
      });
      this.onFailure(() => {
        reject(new Error('aborted'));
      });
    });
  }

  protected override pauseReceiving(): void {
    this.incoming.pause();
  }

  protected override resumeReceiving(): void {
    this.incoming.resume();
  }

  protected override disconnect(error: CollectiveError): void {
    const { rank } = this;
    this.incoming.resume();
    this.leaveWith((neighbour) => {
      neighbour.abort(
        new CollectiveError('ABORTED', `aborted by rank ${rank}: ${error.message}`, {
          rank: error.rank ?? rank,
          originCode: error.originCode ?? error.code,
        }),
      );
    });
  }

  protected override closeLinks(): Promise<void> {
    this.leaveWith((neighbour, link) => {
      neighbour.neighbourLeft(link);
    });
    return Promise.resolve();
  }

  private leaveWith(
    tell: (neighbour: InProcessTransport, link: 'next' | 'previous') => void,
  ): void {
    if (this.gone || this.neighbours === null) return;
    this.gone = true;
    const { next, previous } = this.neighbours;
    next.incoming.push(() => {
      tell(next, 'previous');
    });
    previous.control.push(() => {
      tell(previous, 'next');
    });
  }
}

/** A ring of `worldSize` ranks in this process. */
export function inProcessGroup(worldSize: number, options: GroupOptions): TransportGroup {
  const transports = Array.from(
    { length: worldSize },
    (_, rank) => new InProcessTransport({ rank, worldSize, ...options }),
  );
  for (const [rank, transport] of transports.entries()) {
    const next = transports[(rank + 1) % worldSize];
    const previous = transports[(rank + worldSize - 1) % worldSize];
    if (next !== undefined && previous !== undefined) transport.join(next, previous);
  }
  return {
    transports,
    crash: (rank) => {
      transports[rank]?.crash();
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
    },
  };
}
