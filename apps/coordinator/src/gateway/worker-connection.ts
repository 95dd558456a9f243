import {
  PROTOCOL_VERSION,
  workerMessageSchema,
  type CoordinatorMessage,
  type RingSettings,
  type WorkerMessage,
} from '@skipring/protocol';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import type { WorkerEvents, WorkerLink } from '../scheduling/ports.js';
import { parseJson } from './parse-json.js';

/** Close codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;
const INVALID_MESSAGE = 1007;
const POLICY = 1008;

/** A worker that has not said who it is by then is no worker. */
const HELLO_DEADLINE_MS = 5_000;
/** A worker that takes nothing while this much waits for it is dead. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** A worker reports each step and beats each second: far less than this, also of tiny models. */
const MAX_MESSAGES_PER_SECOND = 2_000;
/** From the close frame to the end of a socket that does not answer it. */
const CLOSE_DEADLINE_MS = 500;
/** A close frame holds 123 bytes of text. */
const MAX_REASON_LENGTH = 120;

export interface ConnectionOptions {
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly computeSilenceLimitMs: number;
  readonly ring: RingSettings;
  readonly log: Logger;
}

/** One worker's socket: says who it is first, then messages both ways, each checked. */
export class WorkerConnection implements WorkerLink {
  private workerId: string | null = null;
  private closeReason = '';
  private isGoingAway = false;
  private numMessages = 0;
  private secondSinceMs = performance.now();
  private readonly helloTimer: NodeJS.Timeout;
  private readonly pinger: NodeJS.Timeout;

  constructor(
    private readonly socket: WebSocket,
    private readonly workers: WorkerEvents,
    private readonly options: ConnectionOptions,
  ) {
    this.helloTimer = setTimeout(() => {
      this.end(POLICY, 'no hello in time');
    }, HELLO_DEADLINE_MS);
    // The worker watches for these: a coordinator that is silent is gone.
    this.pinger = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, options.heartbeatIntervalMs);
    socket.on('message', (data, isBinary) => {
      this.receive(data as Buffer, isBinary);
    });
    socket.on('error', (error) => {
      this.closeReason ||= error.message;
    });
    socket.on('close', (code) => {
      this.closed(code);
    });
  }

  send(message: CoordinatorMessage): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.closeReason ||= 'it takes no messages';
      this.socket.terminate();
      return;
    }
    this.socket.send(JSON.stringify(message));
  }

  close(reason: string): void {
    this.end(POLICY, reason);
  }

  /** Closes because the coordinator stops: no worker is lost by that, so none is told of. */
  goAway(): void {
    this.isGoingAway = true;
    this.end(GOING_AWAY, 'the coordinator stops');
  }

  /** Closes with a code of RFC 6455; ends the socket if the other side does not answer. */
  private end(code: number, reason: string): void {
    this.closeReason ||= reason;
    this.socket.close(code, reason.slice(0, MAX_REASON_LENGTH));
    setTimeout(() => {
      this.socket.terminate();
    }, CLOSE_DEADLINE_MS).unref();
  }

  private receive(data: Buffer, isBinary: boolean): void {
    // After a close frame was sent, what still arrives counts no more.
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.isFlood()) {
      this.refuse(
        POLICY,
        'MESSAGE_FLOOD',
        `more than ${MAX_MESSAGES_PER_SECOND} messages a second`,
      );
      return;
    }
    const value = isBinary ? null : parseJson(data);
    if (this.workerId === null && !hasThisVersion(value)) {
      this.refuse(
        PROTOCOL_ERROR,
        'PROTOCOL_VERSION',
        `the first message must be a hello of protocol version ${PROTOCOL_VERSION}`,
      );
      return;
    }
    const parsed = workerMessageSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue === undefined ? '' : ` at /${issue.path.join('/')}: ${issue.message}`;
      this.refuse(INVALID_MESSAGE, 'MESSAGE_INVALID', `the message is not valid${where}`);
      return;
    }
    const message = parsed.data;
    if (message.type === 'hello') this.greet(message);
    else if (this.workerId !== null) this.workers.workerMessage(this.workerId, this, message);
  }

  /** Counts a message; true when there are too many in this second. */
  private isFlood(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.secondSinceMs >= 1_000) {
      this.secondSinceMs = nowMs;
      this.numMessages = 0;
    }
    this.numMessages += 1;
    return this.numMessages > MAX_MESSAGES_PER_SECOND;
  }

  private greet(hello: Extract<WorkerMessage, { type: 'hello' }>): void {
    if (this.workerId !== null) {
      this.refuse(PROTOCOL_ERROR, 'MESSAGE_UNEXPECTED', 'hello is said once, first');
      return;
    }
    clearTimeout(this.helloTimer);
    this.workerId = hello.workerId;
    const { heartbeatIntervalMs, heartbeatTimeoutMs, computeSilenceLimitMs, ring } = this.options;
    this.send({
      type: 'welcome',
      protocolVersion: PROTOCOL_VERSION,
      heartbeatIntervalMs,
      heartbeatTimeoutMs,
      computeSilenceLimitMs,
      ring,
    });
    this.workers.workerConnected(hello, this);
  }

  private refuse(closeCode: number, code: string, message: string): void {
    this.options.log.warn({ workerId: this.workerId, code, reason: message }, 'worker refused');
    this.send({ type: 'refused', code, message });
    this.end(closeCode, message);
  }

  private closed(code: number): void {
    clearTimeout(this.helloTimer);
    clearInterval(this.pinger);
    if (this.workerId === null || this.isGoingAway) return;
    const reason = this.closeReason || `connection closed (${code})`;
    this.workers.workerDisconnected(this.workerId, this, reason);
  }
}

/** Looks at the version alone: another version's hello may have other fields. */
function hasThisVersion(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { type, protocolVersion } = value as Record<string, unknown>;
  return type === 'hello' && protocolVersion === PROTOCOL_VERSION;
}
