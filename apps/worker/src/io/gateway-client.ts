import {
  coordinatorMessageSchema,
  GATEWAY_PATH,
  type CoordinatorMessage,
  type WorkerMessage,
} from '@skipring/protocol';
import { WebSocket } from 'ws';

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Control messages are small; the largest holds a job spec and the member list. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Refusals that another try can't mend. */
const FINAL_REFUSALS = new Set(['PROTOCOL_VERSION', 'UNAUTHORIZED']);

export interface GatewayEvents {
  onMessage(message: CoordinatorMessage): void;
  onClosed(reason: string): void;
  /** The coordinator will never take this worker. */
  onRefused(code: string, message: string): void;
}

export interface GatewayTarget {
  readonly coordinatorUrl: string;
  readonly joinToken: string | null;
  /** First message of every connection, as it is to be now. */
  readonly hello: () => WorkerMessage;
}

/** The worker's connection to the coordinator: says hello, reconnects with back-off, keeps order. */
export class GatewayClient {
  private socket: WebSocket | null = null;
  private retry: NodeJS.Timeout | null = null;
  private delayMs = FIRST_DELAY_MS;
  private closed = false;
  private silence: NodeJS.Timeout | null = null;
  private silenceTimeoutMs = 0;

  constructor(
    private readonly target: GatewayTarget,
    private readonly events: GatewayEvents,
  ) {}

  open(): void {
    const url = new URL(GATEWAY_PATH, this.target.coordinatorUrl);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const { joinToken } = this.target;
    const socket = new WebSocket(url, {
      headers: joinToken === null ? {} : { authorization: `Bearer ${joinToken}` },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    this.socket = socket;
    socket.on('open', () => {
      socket.send(JSON.stringify(this.target.hello()));
    });
    socket.on('message', (data, isBinary) => {
      this.receive(socket, data as Buffer, isBinary);
    });
    socket.on('ping', () => {
      this.watchSilence(socket);
    });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      if (response.statusCode === 401 || response.statusCode === 403) {
        this.closed = true;
        this.events.onRefused('UNAUTHORIZED', 'the coordinator does not accept this join token');
      } else {
        this.reconnect(`the coordinator answered with HTTP status ${response.statusCode ?? 0}`);
      }
    });
    socket.on('error', (error) => {
      this.reconnect(error.message);
    });
    socket.on('close', (code) => {
      this.reconnect(`connection closed (${code})`);
    });
  }

  /** Sends if connected; a message of a lost connection has no meaning on the next one. */
  send(message: WorkerMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Resolves when the message is with the operating system, or can't be sent. */
  flush(message: WorkerMessage): Promise<void> {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve) => {
      socket.send(JSON.stringify(message), () => {
        resolve();
      });
    });
  }

  close(): void {
    this.closed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.silence !== null) clearTimeout(this.silence);
    this.socket?.removeAllListeners();
    this.socket?.on('error', () => undefined);
    this.socket?.close(1000);
    const socket = this.socket;
    setTimeout(() => socket?.terminate(), 500).unref();
  }

  private receive(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    this.watchSilence(socket);
    let parsed: ReturnType<typeof coordinatorMessageSchema.safeParse>;
    try {
      parsed = coordinatorMessageSchema.safeParse(
        isBinary ? null : JSON.parse(data.toString('utf8')),
      );
    } catch {
      parsed = coordinatorMessageSchema.safeParse(null);
    }
    if (!parsed.success) {
      socket.close(1007, 'message not understood');
      return;
    }
    const message = parsed.data;
    if (message.type === 'welcome') {
      this.delayMs = FIRST_DELAY_MS;
      this.silenceTimeoutMs = message.heartbeatTimeoutMs * 2;
      this.watchSilence(socket);
    }
    if (message.type === 'refused' && FINAL_REFUSALS.has(message.code)) {
      this.closed = true;
      this.events.onRefused(message.code, message.message);
      return;
    }
    this.events.onMessage(message);
  }

  /** A coordinator that sends neither messages nor pings is gone, even if its socket looks open. */
  private watchSilence(socket: WebSocket): void {
    if (this.silence !== null) clearTimeout(this.silence);
    if (this.silenceTimeoutMs === 0 || this.socket !== socket) return;
    this.silence = setTimeout(() => {
      socket.terminate();
    }, this.silenceTimeoutMs);
    this.silence.unref();
  }

  private reconnect(reason: string): void {
    if (this.closed || this.retry !== null) return;
    this.socket?.removeAllListeners();
    this.socket?.on('error', () => undefined);
    this.socket?.terminate();
    this.socket = null;
    this.events.onClosed(reason);
    this.retry = setTimeout(() => {
      this.retry = null;
      this.open();
    }, this.delayMs);
    this.delayMs = Math.min(MAX_DELAY_MS, this.delayMs * 2);
  }
}
