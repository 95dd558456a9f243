import type { Duplex } from 'node:stream';
import { crc32 } from 'node:zlib';
import { CollectiveError, InboxTransport, type SegmentKey } from '@skipring/collective';
import {
  encodeRingFrameHeader,
  type Fence,
  type RingFrameHeader,
  type RingOperation,
} from '@skipring/protocol';
import { WebSocket } from 'ws';
import { decodeAbortNotice, encodeAbortNotice } from './abort-notice.js';
import { CLOSE_ABORTED, CLOSE_LEAVING, closeSocket } from './close-socket.js';
import { FrameReader } from './frame-reader.js';

/** How long an abort frame may take to leave before the sockets are broken. */
const ABORT_GRACE_MS = 100;
const LEAVE_GRACE_MS = 1_000;

export interface WebSocketTransportOptions {
  readonly fence: Fence;
  readonly rank: number;
  readonly worldSize: number;
  readonly segmentBytes: number;
  readonly maxPayloadBytes: number;
  readonly maxHeldBytes: number | undefined;
  /** Called when the transport has failed or is closing; maybe twice. */
  onEnd(): void;
}

interface OutgoingLink {
  readonly socket: WebSocket;
  /** The stream under `socket`, to join writes. */
  readonly stream: Duplex;
}

/**
 * A rank's two links as WebSockets. It exists before they do: each is attached as soon as it is
 * open, so that no frame and no failure goes unseen.
 */
export class WebSocketTransport extends InboxTransport {
  /** To the next rank, which dialled this one. */
  private outgoing: OutgoingLink | null = null;
  /** From the previous rank, which this one dialled. */
  private incoming: WebSocket | null = null;

  constructor(private readonly options: WebSocketTransportOptions) {
    super(options);
  }

  get hasOutgoing(): boolean {
    return this.outgoing !== null;
  }

  get hasIncoming(): boolean {
    return this.incoming !== null;
  }

  attachOutgoing(socket: WebSocket, stream: Duplex): void {
    this.outgoing = { socket, stream };
    this.attach(socket, 'next', this.nextRank);
  }

  attachIncoming(socket: WebSocket): void {
    this.incoming = socket;
    this.attach(socket, 'previous', this.previousRank);
  }

  protected override transmit(key: SegmentKey, payload: Uint8Array): Promise<number> {
    const { outgoing } = this;
    if (outgoing === null) return Promise.reject(new Error('it was never open'));
    return new Promise((resolve, reject) => {
      // One system call for both messages.
      outgoing.stream.cork();
      const frameBytes = this.write(outgoing.socket, 'data', key, payload, (error) => {
        if (error) reject(error);
        else resolve(frameBytes);
      });
      outgoing.stream.uncork();
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
    const notice = encodeAbortNotice(error, this.rank);
    for (const socket of this.sockets()) {
      if (socket.readyState === WebSocket.OPEN) {
        const key = { operation: null, sequence: 0, segment: 0 };
        this.write(socket, 'abort', key, notice, () => undefined);
      }
      void closeSocket(socket, CLOSE_ABORTED, ABORT_GRACE_MS);
    }
  }

  protected override async closeLinks(): Promise<void> {
    this.options.onEnd();
    await Promise.all(
      this.sockets().map((socket) => closeSocket(socket, CLOSE_LEAVING, LEAVE_GRACE_MS)),
    );
  }

  private sockets(): WebSocket[] {
    return [this.outgoing?.socket ?? null, this.incoming].filter((socket) => socket !== null);
  }

  private attach(socket: WebSocket, link: 'next' | 'previous', peerRank: number): void {
    const reader = new FrameReader({
      fence: this.options.fence,
      peerRank,
      maxPayloadBytes: this.options.maxPayloadBytes,
      onFrame: (header, payload) => {
        this.onFrame(link, peerRank, header, payload);
      },
    });
    socket.on('message', (message, isBinary) => {
      if (this.failed !== null) return;
      try {
        reader.read(message as Buffer, isBinary);
      } catch (error) {
        this.abort(error instanceof CollectiveError ? error : this.peerClosed(peerRank, error));
      }
    });
    socket.on('error', (error) => {
      this.abort(this.socketError(peerRank, error));
    });
    socket.on('close', (code) => {
      if (code === CLOSE_LEAVING) this.neighbourLeft(link);
      else this.abort(this.peerClosed(peerRank, new Error(`close code ${code}`)));
    });
    // Attached too late: pass the failure on.
    if (this.failed !== null) void closeSocket(socket, CLOSE_ABORTED, ABORT_GRACE_MS);
  }

  private onFrame(
    link: 'next' | 'previous',
    peerRank: number,
    header: RingFrameHeader,
    payload: Uint8Array,
  ): void {
    const { operation, sequence, segment } = header;
    if (operation === null) {
      this.abort(decodeAbortNotice(payload, peerRank));
    } else if (link === 'next') {
      this.abort(
        new CollectiveError('PROTOCOL', `rank ${peerRank} sent data against the ring`, {
          rank: peerRank,
        }),
      );
    } else {
      this.deliver({ operation, sequence, segment }, payload);
    }
  }

  private socketError(rank: number, error: Error & { code?: string }): CollectiveError {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      return new CollectiveError(
        'FRAME_TOO_LARGE',
        `rank ${rank} sent a message of more than ${this.options.maxPayloadBytes} bytes`,
        { rank, cause: error },
      );
    }
    if (error.code?.startsWith('WS_ERR_') === true) {
      return new CollectiveError('PROTOCOL', `rank ${rank}: ${error.message}`, {
        rank,
        cause: error,
      });
    }
    return this.peerClosed(rank, error);
  }

  /** Writes a frame as its header message and its payload message; returns their bytes. */
  private write(
    socket: WebSocket,
    kind: RingFrameHeader['kind'],
    key: { operation: RingOperation | null; sequence: number; segment: number },
    payload: Uint8Array,
    done: (error?: Error) => void,
  ): number {
    const { attempt, generation } = this.options.fence;
    const header = encodeRingFrameHeader(
      { ...key, kind, attempt, generation, rank: this.rank },
      payload,
      crc32,
    );
    if (payload.byteLength === 0) {
      socket.send(header, { binary: true }, done);
    } else {
      socket.send(header, { binary: true });
      socket.send(payload, { binary: true }, done);
    }
    return header.byteLength + payload.byteLength;
  }
}
