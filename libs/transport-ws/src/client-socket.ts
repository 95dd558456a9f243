import { randomBytes } from 'node:crypto';
import { connect, isIP, isIPv6, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MessageReader, WebSocketError } from './message-reader.js';
import {
  acceptFor,
  CLOSE_ABNORMAL,
  CLOSE_NO_STATUS,
  CLOSE_PROTOCOL_ERROR,
  maskedFrame,
  OPCODE,
} from './rfc6455.js';
import { MIN_TLS_VERSION, type RingTls } from './ring-tls.js';
import { parseUpgradeResponse, type UpgradeResponse } from './upgrade-response.js';

export interface ClientSocketOptions {
  readonly host: string;
  readonly port: number;
  /** A local socket's path, to connect to instead of host and port. */
  readonly localPath?: string | undefined;
  readonly path: string;
  /** Of the request, asked for once there is a connection. */
  headers(): Readonly<Record<string, string>>;
  readonly tls: RingTls | null;
  readonly handshakeTimeoutMs: number;
  /** In the turn in which the socket opens, before any message: call `attach`. */
  onOpen(answer: UpgradeResponse): void;
  /** The server answered, but with no upgrade. */
  onRefused(response: UpgradeResponse): void;
  /** No connection, or no answer in time, or none that makes sense. */
  onFailed(error: Error): void;
}

export interface MessageHandler {
  readonly maxMessageBytes: number;
  /** See MessageReaderOptions. What these throw goes to `onError`. */
  begin(isBinary: boolean): Uint8Array;
  progress(numBytes: number): void;
  end(numBytes: number): void;
  /** The stream broke, or what came was wrong; nothing is read into messages any more. */
  onError(error: Error): void;
  /** Once, at the very end; CLOSE_ABNORMAL if the peer sent no close frame. */
  onClose(code: number): void;
}

const MAX_RESPONSE_BYTES = 8 * 1024;
const DISCARD_BYTES = 64 * 1024;
/** Unsent pongs and the like; a peer that makes more of them than it takes is cut off. */
const MAX_UNSENT_BYTES = 64 * 1024;

/**
 * The client's end of a WebSocket that mostly receives: it reads payloads straight into the memory
 * that its handler names. It sends control frames and small messages.
 */
export class ClientSocket {
  private readonly socket: Socket;
  private readonly key = randomBytes(16).toString('base64');
  private readonly timer: NodeJS.Timeout;
  /** The beginning of the server's answer. */
  private readonly response = Buffer.allocUnsafe(MAX_RESPONSE_BYTES);
  private responseBytes = 0;
  private state: 'connecting' | 'open' | 'discarding' | 'closed' = 'connecting';
  /** While bytes are taken: the next ones go where `place` says after it. */
  private isTaking = false;
  private handler: MessageHandler | null = null;
  private reader: MessageReader | null = null;
  private readonly onClosed: (() => void)[] = [];
  private closeSent = false;
  private peerCloseCode = CLOSE_ABNORMAL;

  constructor(private readonly options: ClientSocketOptions) {
    this.socket = open(options, {
      buffer: () => this.place(),
      callback: (numBytes) => {
        this.isTaking = true;
        this.take(numBytes);
        this.isTaking = false;
        return true;
      },
    });
    this.timer = setTimeout(() => {
      this.failHandshake(new Error(`no answer within ${options.handshakeTimeoutMs} ms`));
    }, options.handshakeTimeoutMs);
    this.socket.on(options.tls === null ? 'connect' : 'secureConnect', () =>
      this.socket.write(this.request()),
    );
    this.socket.on('error', (error) => {
      if (this.state === 'connecting') this.failHandshake(error);
      else if (this.state === 'open') this.fail(error);
    });
    this.socket.on('close', () => {
      this.ended();
    });
  }

  get isOpen(): boolean {
    return this.state === 'open' && !this.closeSent;
  }

  /** Bytes that have come so far. */
  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  get isPaused(): boolean {
    return this.socket.isPaused();
  }

  /** From within `onOpen`. */
  attach(handler: MessageHandler): void {
    this.handler = handler;
  }

  /** Sends a small binary message; without effect when the socket is not open. */
  send(payload: Uint8Array): void {
    if (this.isOpen) this.socket.write(maskedFrame(OPCODE.binary, payload));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /**
   * Starts the closing handshake and breaks the connection if it is not complete within `graceMs`.
   * From now on nothing is put into a message. Resolves when the socket is closed.
   */
  close(code: number, graceMs: number): Promise<void> {
    if (this.state === 'closed') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.terminate();
      }, graceMs);
      this.onClosed.push(() => {
        clearTimeout(timer);
        resolve();
      });
      if (this.state === 'connecting') {
        this.terminate();
        return;
      }
      this.discard();
      this.sendClose(code);
    });
  }

  terminate(): void {
    this.socket.destroy();
  }

  private request(): string {
    const { host, port, path } = this.options;
    const lines = Object.entries({
      Host: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': this.key,
      ...this.options.headers(),
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  /** Where the next bytes of the stream go. */
  private place(): Uint8Array {
    if (this.state === 'open' && this.reader !== null) return this.reader.buffer;
    return this.state === 'connecting' ? this.response.subarray(this.responseBytes) : discarded();
  }

  private take(numBytes: number): void {
    if (this.state === 'open') this.advance(numBytes);
    else if (this.state === 'connecting') this.takeResponse(numBytes);
  }

  private advance(numBytes: number): void {
    try {
      this.reader?.advance(numBytes);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private takeResponse(numBytes: number): void {
    this.responseBytes += numBytes;
    const received = this.response.subarray(0, this.responseBytes);
    try {
      const response = parseUpgradeResponse(received);
      if (response !== null) this.takeAnswer(response, received.subarray(response.headBytes));
      else if (this.responseBytes === MAX_RESPONSE_BYTES) {
        throw new Error(`the answer has more than ${MAX_RESPONSE_BYTES} bytes before its end`);
      }
    } catch (error) {
      this.failHandshake(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private takeAnswer(answer: UpgradeResponse, rest: Uint8Array): void {
    const header = (name: string) => answer.headers.get(name) ?? '';
    if (answer.status !== 101) {
      this.endHandshake();
      this.options.onRefused(answer);
      this.terminate();
      return;
    }
    if (
      header('upgrade').toLowerCase() !== 'websocket' ||
      !/(^|,)\s*upgrade\s*(,|$)/i.test(header('connection')) ||
      header('sec-websocket-accept') !== acceptFor(this.key) ||
      answer.headers.has('sec-websocket-extensions') ||
      answer.headers.has('sec-websocket-protocol')
    ) {
      throw new Error('the answer is no upgrade that was asked for');
    }
    clearTimeout(this.timer);
    this.state = 'open';
    this.options.onOpen(answer);
    this.startReading(rest);
  }

  private startReading(rest: Uint8Array): void {
    const { handler } = this;
    if (handler === null) return;
    this.reader = new MessageReader({
      maxMessageBytes: handler.maxMessageBytes,
      begin: (isBinary) => handler.begin(isBinary),
      progress: (numBytes) => {
        handler.progress(numBytes);
      },
      end: (numBytes) => {
        handler.end(numBytes);
      },
      onPing: (payload) => {
        this.pong(payload);
      },
      onClose: (code) => {
        this.peerCloseCode = code;
        this.sendClose(code);
        this.state = 'discarding';
      },
    });
    // Into the staging buffer of the reader, which is larger than any rest.
    for (let at = 0; at < rest.byteLength && this.reader !== null && this.isReading();) {
      const place = this.reader.buffer;
      const part = rest.subarray(at, at + place.byteLength);
      place.set(part);
      at += part.byteLength;
      this.advance(part.byteLength);
    }
  }

  private isReading(): boolean {
    return this.state === 'open';
  }

  private pong(payload: Uint8Array): void {
    if (this.closeSent) return;
    if (this.socket.writableLength > MAX_UNSENT_BYTES) {
      throw new WebSocketError(
        CLOSE_PROTOCOL_ERROR,
        'more pings come than their answers are taken',
      );
    }
    this.socket.write(maskedFrame(OPCODE.pong, payload));
  }

  private sendClose(code: number): void {
    if (this.closeSent) return;
    this.closeSent = true;
    const payload = code === CLOSE_NO_STATUS ? [] : [code >> 8, code & 255];
    this.socket.write(maskedFrame(OPCODE.close, Uint8Array.from(payload)));
    // The server ends the connection (RFC 6455, 7.1.1); half of it is not left open for its peer.
    if (this.peerCloseCode !== CLOSE_ABNORMAL) this.socket.end();
  }

  /**
   * Reads on, into nothing. In the middle of a payload the next bytes would still go to the
   * message's owner, so there it reads no more; the caller's grace then ends the connection.
   */
  private discard(): void {
    if (this.state !== 'open') return;
    const isOwned = !this.isTaking && this.reader?.isDirect === true;
    this.state = 'discarding';
    if (isOwned) this.socket.pause();
    else this.socket.resume();
  }

  /** Something is wrong after the upgrade; the handler closes. */
  private fail(error: Error): void {
    if (this.state !== 'open') return;
    this.discard();
    if (this.handler === null) this.terminate();
    else this.handler.onError(error);
  }

  private failHandshake(error: Error): void {
    if (this.state !== 'connecting') return;
    this.endHandshake();
    this.terminate();
    this.options.onFailed(error);
  }

  private endHandshake(): void {
    clearTimeout(this.timer);
    this.state = 'discarding';
  }

  private ended(): void {
    if (this.state === 'connecting') this.failHandshake(new Error('the server hung up'));
    clearTimeout(this.timer);
    this.state = 'closed';
    for (const listener of this.onClosed) listener();
    this.handler?.onClose(this.peerCloseCode);
    this.handler = null;
  }
}

/** A connection, over TLS only to a peer whose certificate is good for its host. */
function open({ host, port, localPath, tls }: ClientSocketOptions, onread: OnReadOpts): Socket {
  if (localPath !== undefined) return connect({ path: localPath, onread });
  if (tls === null) return connect({ host, port, noDelay: true, onread });
  const secured = {
    host,
    port,
    ca: tls.ca,
    minVersion: MIN_TLS_VERSION,
    ...(isIP(host) === 0 && { servername: host }),
    // Goes to the socket as it does above, but is not among the types of TLS.
    onread,
  } as const;
  return connectTls(secured).setNoDelay(true);
}

let discardBuffer: Uint8Array | null = null;

/** Shared by all sockets: nobody reads it. */
function discarded(): Uint8Array {
  return (discardBuffer ??= new Uint8Array(DISCARD_BYTES));
}
