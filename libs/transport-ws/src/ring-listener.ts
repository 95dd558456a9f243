import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  createServer as createNetServer,
  type AddressInfo,
  type ListenOptions,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { CollectiveError } from '@skipring/collective';
import { RING_PATH, type Fence } from '@skipring/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import { MAX_ABORT_NOTICE_BYTES } from './abort-notice.js';
import {
  compareFence,
  parseDial,
  parseSlots,
  REFUSAL_HEADER,
  sameToken,
  SLOTS_HEADER,
  SLOTS_TAKEN,
  type RefusalCode,
} from './handshake.js';
import { localPath, newLocalName } from './local-socket.js';
import { MIN_TLS_VERSION, type RingTls } from './ring-tls.js';
import { SharedSlots } from './shared-slots.js';

export interface RingListenerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Largest payload of a frame that this worker takes, on any link. */
  readonly maxPayloadBytes?: number;
  /** The ring speaks TLS (`wss`), on all ranks or none. Who dials is known by the ring token. */
  readonly tls?: RingTls | null;
  /**
   * Whether ranks on this machine may meet over local sockets, which take less processor time than TCP;
   * default: true. Only on Linux, and not with TLS.
   */
  readonly localSockets?: boolean;
  /** Whether payloads of ranks that meet over local sockets go through memory that they share; default: true. */
  readonly sharedMemory?: boolean;
}

/** A generation that waits for the dial of this rank's next rank. */
export interface RingSlot {
  readonly fence: Fence;
  readonly rank: number;
  readonly nextRank: number;
  readonly ringToken: string;
  readonly isTaken: () => boolean;
  readonly accept: (socket: WebSocket, stream: Socket, slots: SharedSlots | null) => void;
}

const DEFAULT_MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 256;
/** Jobs whose newest generation is remembered. */
const MAX_JOBS = 1_024;

/** Answer to a dial that is not let in. */
class Refusal {
  constructor(
    readonly status: number,
    readonly code: RefusalCode,
    readonly message: string,
  ) {}
}

/** Where the next ranks dial in: one per worker process, for all jobs and generations. */
export class RingListener {
  readonly maxPayloadBytes: number;
  private readonly slots = new Map<string, RingSlot>();
  /** Newest membership seen here, by job. */
  private readonly newest = new Map<string, Fence>();
  private readonly streams = new Set<Duplex>();
  /** What is shared with those that are being let in. */
  private readonly slotsOf = new WeakMap<IncomingMessage, SharedSlots>();
  private readonly sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Data flows to the dialler; it sends abort frames only.
    maxPayload: MAX_ABORT_NOTICE_BYTES,
  });

  private constructor(
    private readonly server: Server,
    private readonly localServer: NetServer | null,
    maxPayloadBytes: number,
    /** What this rank dials with too. */
    readonly tls: RingTls | null,
    /** To be told to the other ranks; null: it has no local socket, and dials none. */
    readonly localName: string | null,
    readonly sharesMemory: boolean,
  ) {
    this.maxPayloadBytes = maxPayloadBytes;
    this.sockets.on('headers', (headers, request) => {
      if (this.slotsOf.has(request)) headers.push(`${SLOTS_HEADER}: ${SLOTS_TAKEN}`);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (stream) => {
      this.streams.add(stream);
      stream.once('close', () => this.streams.delete(stream));
    });
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      this.upgrade(request, stream, head);
    });
  }

  /** @throws Error of the operating system, e.g. EADDRINUSE. */
  static async listen(options: RingListenerOptions): Promise<RingListener> {
    const { tls = null } = options;
    const limits = {
      requestTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HANDSHAKE_TIMEOUT_MS,
      connectionsCheckingInterval: HANDSHAKE_TIMEOUT_MS,
      maxHeaderSize: 8_192,
    };
    const secure = { handshakeTimeout: HANDSHAKE_TIMEOUT_MS, minVersion: MIN_TLS_VERSION } as const;
    const server =
      tls === null
        ? createServer(limits, upgradeRequired)
        : createTlsServer({ ...limits, ...secure, cert: tls.cert, key: tls.key }, upgradeRequired);
    await listening(server, { host: options.host, port: options.port });
    const localName = tls === null && options.localSockets !== false ? newLocalName() : null;
    const localServer = localName === null ? null : createNetServer();
    if (localServer !== null && localName !== null) {
      localServer.maxConnections = MAX_CONNECTIONS;
      localServer.on('connection', (stream) => server.emit('connection', stream));
      await listening(localServer, { path: localPath(localName) });
    }
    const { maxPayloadBytes = DEFAULT_MAX_PAYLOAD_BYTES, sharedMemory = true } = options;
    return new RingListener(server, localServer, maxPayloadBytes, tls, localName, sharedMemory);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /**
   * Lets the next rank of this generation in, until the returned function is called.
   * @throws CollectiveError STALE_GENERATION if a newer one of this job has been registered,
   *   PROTOCOL if this one still is.
   */
  register(slot: RingSlot): () => void {
    const { fence } = slot;
    const newest = this.newest.get(fence.jobId);
    if (newest !== undefined && compareFence(fence, newest) < 0) {
      throw new CollectiveError('STALE_GENERATION', stale(fence, newest));
    }
    const key = keyOf(fence);
    if (this.slots.has(key)) {
      throw new CollectiveError('PROTOCOL', `the ring of ${describe(fence)} is already open here`);
    }
    this.newest.delete(fence.jobId);
    this.newest.set(fence.jobId, fence);
    for (const oldest of this.newest.keys()) {
      if (this.newest.size <= MAX_JOBS) break;
      this.newest.delete(oldest);
    }
    this.slots.set(key, slot);
    return () => {
      if (this.slots.get(key) === slot) this.slots.delete(key);
    };
  }

  /** Stops listening and breaks every socket that was dialled to here. */
  async close(): Promise<void> {
    const closed = [this.server, this.localServer].map(
      (server) =>
        new Promise<void>((resolve) => {
          if (server === null) resolve();
          else
            server.close(() => {
              resolve();
            });
        }),
    );
    for (const stream of this.streams) stream.destroy();
    await Promise.all(closed);
  }

  private upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const ignoreErrors = () => undefined;
    stream.on('error', ignoreErrors);
    const admitted = this.admit(request);
    if (admitted instanceof Refusal) {
      refuse(stream, admitted);
      return;
    }
    const offer = this.sharesMemory && this.localName !== null ? parseSlots(request.headers) : null;
    const slots = offer === null ? null : SharedSlots.open(offer);
    if (slots !== null) {
      this.slotsOf.set(request, slots);
      stream.once('close', () => {
        slots.close();
      });
    }
    this.sockets.handleUpgrade(request, stream, head, (socket) => {
      stream.removeListener('error', ignoreErrors);
      // Of TCP or local, its streams are sockets.
      admitted.accept(socket, stream as Socket, slots);
    });
  }

  /** The slot that a dial is for, or why there is none. */
  private admit(request: IncomingMessage): RingSlot | Refusal {
    const dial = request.url === RING_PATH ? parseDial(request.headers) : null;
    if (dial === null) {
      return new Refusal(400, 'PROTOCOL', 'this is no dial of this protocol version');
    }
    const slot = this.slots.get(keyOf(dial.fence));
    if (slot === undefined) {
      const newest = this.newest.get(dial.fence.jobId);
      return newest !== undefined && compareFence(dial.fence, newest) < 0
        ? new Refusal(410, 'STALE_GENERATION', stale(dial.fence, newest))
        : new Refusal(503, 'NOT_READY', `${describe(dial.fence)} is not here yet`);
    }
    if (!sameToken(dial.ringToken, slot.ringToken)) {
      return new Refusal(401, 'UNAUTHORIZED', 'this is not the ring token of this generation');
    }
    if (dial.to !== slot.rank || dial.from !== slot.nextRank) {
      return new Refusal(
        409,
        'PROTOCOL',
        `rank ${dial.from} dials rank ${dial.to}; here is rank ${slot.rank}, ` +
          `which expects rank ${slot.nextRank}`,
      );
    }
    if (slot.isTaken()) return new Refusal(409, 'ALREADY_CONNECTED', 'this link has its socket');
    return slot;
  }
}

/** @throws Error of the operating system. */
function listening(server: NetServer, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
}

function refuse(stream: Duplex, { status, code, message }: Refusal): void {
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\n${REFUSAL_HEADER}: ${code}\r\n` +
      `Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

function keyOf({ jobId, attempt, generation }: Fence): string {
  return `${attempt}/${generation}/${jobId}`;
}

function describe({ jobId, attempt, generation }: Fence): string {
  return `job ${jobId}, attempt ${attempt}, generation ${generation}`;
}

function stale(fence: Fence, newest: Fence): string {
  return (
    `${describe(fence)} is stale: this worker has seen attempt ${newest.attempt}, ` +
    `generation ${newest.generation}`
  );
}
