import type { Socket } from 'node:net';
import { CollectiveError, digest, InboxTransport, type SegmentKey } from '@skipring/collective';
import { RING_FRAME_HEADER_BYTES, type Fence, type RingFrameHeader } from '@skipring/protocol';
import { WebSocket } from 'ws';
import { decodeAbortNotice, encodeAbortNotice, MAX_ABORT_NOTICE_BYTES } from './abort-notice.js';
import type { ClientSocket } from './client-socket.js';
import { CLOSE_ABORTED, CLOSE_LEAVING, closeSocket } from './close-socket.js';
import { FrameReader } from './frame-reader.js';
import { ringHeader, streamPrefix } from './frame-writer.js';
import { LinkMeter } from './link-meter.js';
import { WebSocketError } from './message-reader.js';
import { CLOSE_TOO_LARGE } from './rfc6455.js';
import type { SendInterceptor } from './send-interceptor.js';
import type { SharedSlots } from './shared-slots.js';
import { SilenceWatch, type SilenceLimits } from './silence-watch.js';
import { SlotReceiver, SlotSender } from './slot-links.js';

/** How long an abort frame may take to leave before the sockets are broken. */
const ABORT_GRACE_MS = 500;
const LEAVE_GRACE_MS = 1_000;
const NO_SEGMENT = { operation: null, sequence: 0, segment: 0 } as const;
const NOTHING = new Uint8Array(0);

export interface WebSocketTransportOptions {
  readonly fence: Fence;
  readonly rank: number;
  readonly worldSize: number;
  readonly segmentBytes: number;
  readonly exchangeLimitBytes: number | undefined;
  readonly maxPayloadBytes: number;
  readonly maxHeldBytes: number | undefined;
  readonly interceptor?: SendInterceptor | undefined;
  readonly silence?: SilenceLimits | undefined;
  /** Called when the transport has failed or is closing; maybe twice. */
  onEnd(): void;
}

interface OutgoingLink {
  readonly socket: WebSocket;
  /** The stream under `socket`: data frames are written to it as they are. */
  readonly stream: Socket;
  /** What the next rank shares; null: payloads go through the stream. */
  readonly slots: SlotSender | null;
}

/**
 * A rank's two links as WebSockets. It exists before they do: each is attached as soon as it is
 * open, so that no frame and no failure goes unseen.
 */
export class WebSocketTransport extends InboxTransport {
  /** To the next rank, which dialled this one. */
  private outgoing: OutgoingLink | null = null;
  /** From the previous rank, which this one dialled. */
  private incoming: ClientSocket | null = null;
  private readonly meter = new LinkMeter();
  private stopWatching: () => void = () => undefined;
  /** The last segment that waits for its turn behind one that an interceptor holds up. */
  private heldUp: Promise<number> | null = null;

  constructor(private readonly options: WebSocketTransportOptions) {
    super(options);
  }

  override get incomingBytesPerSecond(): number | null {
    return this.meter.bytesPerSecond;
  }

  get hasOutgoing(): boolean {
    return this.outgoing !== null;
  }

  get hasIncoming(): boolean {
    return this.incoming !== null;
  }

  attachOutgoing(socket: WebSocket, stream: Socket, shared: SharedSlots | null): void {
    this.outgoing = { socket, stream, slots: shared === null ? null : new SlotSender(shared) };
    const peerRank = this.nextRank;
    const reader = this.frameReader('next', peerRank);
    socket.on('message', (message, isBinary) => {
      if (this.failed !== null) return;
      try {
        readMessage(reader, message as Buffer, isBinary);
      } catch (error) {
        this.abort(this.linkError(peerRank, error));
      }
    });
    socket.on('error', (error) => {
      this.abort(this.linkError(peerRank, error));
    });
    socket.on('close', (code) => {
      this.linkClosed('next', code);
    });
    // Attached too late: pass the failure on.
    if (this.failed !== null) void closeSocket(socket, CLOSE_ABORTED, ABORT_GRACE_MS);
  }

  /** From within the socket's `onOpen`. */
  attachIncoming(socket: ClientSocket, shared: SharedSlots | null): void {
    this.incoming = socket;
    const peerRank = this.previousRank;
    const slots =
      shared === null
        ? undefined
        : new SlotReceiver(shared, (total) => {
            socket.send(
              ringHeader(this.options, 'taken', { ...NO_SEGMENT, sequence: total >>> 0 }, NOTHING),
            );
          });
    const reader = this.frameReader('previous', peerRank, slots);
    socket.attach({
      maxMessageBytes: Math.max(
        this.options.maxPayloadBytes,
        RING_FRAME_HEADER_BYTES,
        MAX_ABORT_NOTICE_BYTES,
      ),
      begin: (isBinary) => reader.begin(isBinary),
      progress: (numBytes) => {
        reader.progress(numBytes);
      },
      end: (numBytes) => {
        reader.end(numBytes);
      },
      onError: (error) => {
        this.abort(this.linkError(peerRank, error));
      },
      onClose: (code) => {
        slots?.close();
        this.linkClosed('previous', code);
      },
    });
    if (this.failed !== null) void socket.close(CLOSE_ABORTED, ABORT_GRACE_MS);
  }

  /** From now on a neighbour that gives no sign of life for the limit of the options is gone. */
  watchNeighbours(): void {
    const { outgoing, incoming, options } = this;
    const { silence } = options;
    if (silence === undefined || outgoing === null || incoming === null) return;
    const { pingIntervalMs, limitMs } = silence;
    const watches = {
      next: new SilenceWatch(pingIntervalMs),
      previous: new SilenceWatch(pingIntervalMs),
    };
    let lastMs = performance.now();
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - lastMs;
      lastMs += elapsedMs;
      if (outgoing.socket.readyState === WebSocket.OPEN) outgoing.socket.ping();
      // The next rank answers pings, and takes what is sent; the previous one sends them.
      const next = watches.next.observe(outgoing.stream.bytesRead + this.bytesSent, elapsedMs);
      // While nothing is read, nothing can come.
      const turn = incoming.isPaused ? Number.NaN : incoming.bytesRead;
      const previous = watches.previous.observe(turn, elapsedMs);
      if (next > limitMs) this.abort(silent(this.nextRank, next));
      else if (previous > limitMs) this.abort(silent(this.previousRank, previous));
    }, pingIntervalMs);
    timer.unref();
    this.stopWatching = () => {
      clearInterval(timer);
    };
  }

  protected override transmit(
    key: SegmentKey,
    payload: Uint8Array,
    checksum?: number,
  ): Promise<number> {
    const changed = this.options.interceptor?.(key, payload) ?? null;
    const isFree = this.outgoing?.slots?.hasRoom !== false;
    // A segment that is held up holds up those behind it: a link keeps its order.
    if (changed === null && this.heldUp === null && isFree) {
      return this.write(key, payload, checksum);
    }
    // The checksum of what should have been sent.
    const expected = changed === null ? checksum : (checksum ?? digest(payload));
    const before = this.heldUp;
    const written = (async () => {
      await before?.catch(() => undefined);
      const bytes = changed === null ? payload : await changed;
      if (bytes === null) return 0;
      await this.outgoing?.slots?.room();
      return this.write(key, bytes, expected);
    })();
    this.heldUp = written;
    return written.finally(() => {
      if (this.heldUp === written) this.heldUp = null;
    });
  }

  private write(key: SegmentKey, payload: Uint8Array, checksum?: number): Promise<number> {
    const { outgoing, options } = this;
    if (outgoing === null) return Promise.reject(new Error('it was never open'));
    const { socket, stream, slots } = outgoing;
    if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error('it is closing'));
    const isShared = slots?.takes(payload) === true;
    const header = ringHeader(options, isShared ? 'slot' : 'data', key, payload, checksum);
    const numBytes = header.byteLength + payload.byteLength;
    if (isShared) {
      slots.fill(payload);
      stream.write(streamPrefix(header, 0));
      return Promise.resolve(numBytes);
    }
    const prefix = streamPrefix(header, payload.byteLength);
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null) => {
        if (error) reject(error);
        else resolve(numBytes);
      };
      if (payload.byteLength === 0) {
        stream.write(prefix, done);
        return;
      }
      // One system call for both. `ws` writes whole frames too, so none of its own comes between.
      stream.cork();
      stream.write(prefix);
      stream.write(payload, done);
      stream.uncork();
    });
  }

  protected override pauseReceiving(): void {
    this.incoming?.pause();
  }

  protected override resumeReceiving(): void {
    this.incoming?.resume();
  }

  protected override disconnect(error: CollectiveError): void {
    this.options.onEnd();
    this.stopWatching();
    const notice = encodeAbortNotice(error, this.rank);
    const messages = [ringHeader(this.options, 'abort', NO_SEGMENT, notice), notice];
    const socket = this.outgoing?.socket;
    this.outgoing?.slots?.close();
    if (socket !== undefined) {
      if (socket.readyState === WebSocket.OPEN) {
        for (const message of messages) socket.send(message, { binary: true });
      }
      void closeSocket(socket, CLOSE_ABORTED, ABORT_GRACE_MS);
    }
    for (const message of messages) this.incoming?.send(message);
    void this.incoming?.close(CLOSE_ABORTED, ABORT_GRACE_MS);
  }

  protected override async closeLinks(): Promise<void> {
    this.options.onEnd();
    this.stopWatching();
    await Promise.all([
      this.outgoing === null
        ? null
        : closeSocket(this.outgoing.socket, CLOSE_LEAVING, LEAVE_GRACE_MS),
      this.incoming?.close(CLOSE_LEAVING, LEAVE_GRACE_MS),
    ]);
  }

  private frameReader(
    link: 'next' | 'previous',
    peerRank: number,
    slots?: SlotReceiver,
  ): FrameReader {
    return new FrameReader({
      slots,
      fence: this.options.fence,
      peerRank,
      maxPayloadBytes: link === 'next' ? MAX_ABORT_NOTICE_BYTES : this.options.maxPayloadBytes,
      place: ({ operation, sequence, segment, payloadBytes }) => {
        if (operation === null || link === 'next') {
          return new Uint8Array(Math.min(payloadBytes, MAX_ABORT_NOTICE_BYTES));
        }
        this.meter.begin();
        return this.place({ operation, sequence, segment }, payloadBytes);
      },
      onProgress: ({ operation, sequence, segment }, numBytes) => {
        if (operation !== null) this.arrived({ operation, sequence, segment }, numBytes);
      },
      pull: ({ operation, sequence, segment }, place, source) => {
        if (operation !== null) this.pull({ operation, sequence, segment }, place, source);
      },
      onFrame: (header, payload) => {
        this.onFrame(link, peerRank, header, payload);
      },
    });
  }

  private onFrame(
    link: 'next' | 'previous',
    peerRank: number,
    header: RingFrameHeader,
    payload: Uint8Array,
  ): void {
    const { operation, sequence, segment } = header;
    if (header.kind === 'taken') {
      this.slotsTaken(link, peerRank, sequence);
    } else if (operation === null) {
      this.abort(decodeAbortNotice(payload, peerRank));
    } else if (link === 'next') {
      this.abort(
        new CollectiveError('PROTOCOL', `rank ${peerRank} sent data against the ring`, {
          rank: peerRank,
        }),
      );
    } else {
      this.meter.end(payload.byteLength);
      this.deliver({ operation, sequence, segment }, payload, header.checksum);
    }
  }

  private slotsTaken(link: 'next' | 'previous', peerRank: number, total: number): void {
    const slots = link === 'next' ? this.outgoing?.slots : null;
    if (slots) slots.taken(total);
    else {
      const message = `rank ${peerRank} has read slots that it does not share`;
      this.abort(new CollectiveError('PROTOCOL', message, { rank: peerRank }));
    }
  }

  private linkClosed(link: 'next' | 'previous', code: number): void {
    if (code === CLOSE_LEAVING) this.neighbourLeft(link);
    else {
      const rank = link === 'next' ? this.nextRank : this.previousRank;
      this.abort(this.peerClosed(rank, new Error(`close code ${code}`)));
    }
  }

  private linkError(rank: number, error: unknown): CollectiveError {
    if (error instanceof CollectiveError) return error;
    const code = violationOf(error);
    if (code === null) return this.peerClosed(rank, error);
    const message = error instanceof Error ? error.message : String(error);
    return new CollectiveError(code, `rank ${rank}: ${message}`, { rank, cause: error });
  }
}

function silent(rank: number, silentMs: number): CollectiveError {
  const message = `rank ${rank} has given no sign of life for ${Math.round(silentMs)} ms`;
  return new CollectiveError('PEER_SILENT', message, { rank });
}

/** Gives a message that is here as a whole to a reader. */
function readMessage(reader: FrameReader, message: Uint8Array, isBinary: boolean): void {
  const place = reader.begin(isBinary);
  if (message.byteLength > place.byteLength) {
    throw new WebSocketError(
      CLOSE_TOO_LARGE,
      `a message has ${message.byteLength} bytes, expected ${place.byteLength}`,
    );
  }
  place.set(message);
  reader.end(message.byteLength);
}

/** How a stream broke the rules, if it did; else it only ended. */
function violationOf(error: unknown): 'FRAME_TOO_LARGE' | 'PROTOCOL' | null {
  if (error instanceof WebSocketError) {
    return error.closeCode === CLOSE_TOO_LARGE ? 'FRAME_TOO_LARGE' : 'PROTOCOL';
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 'FRAME_TOO_LARGE';
  return code.startsWith('WS_ERR_') ? 'PROTOCOL' : null;
}
