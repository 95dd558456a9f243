import { crc32 } from 'node:zlib';
import { CollectiveError } from '@skipring/collective';
import {
  decodeRingFrameHeader,
  RingFrameError,
  ringFrameChecksum,
  type Fence,
  type RingFrameHeader,
} from '@skipring/protocol';

export interface FrameReaderOptions {
  readonly fence: Fence;
  /** Rank of the sender. */
  readonly peerRank: number;
  readonly maxPayloadBytes: number;
  onFrame(header: RingFrameHeader, payload: Uint8Array): void;
}

const NOTHING = new Uint8Array(0);

/** Puts the messages of one socket together to frames, and lets none pass that is not right. */
export class FrameReader {
  private open: { header: RingFrameHeader; bytes: Uint8Array } | null = null;

  constructor(private readonly options: FrameReaderOptions) {}

  /**
   * Takes the next message; the payload handed on is the message itself.
   * @throws CollectiveError PROTOCOL, STALE_GENERATION, FRAME_TOO_LARGE or CHECKSUM.
   */
  read(message: Uint8Array, isBinary: boolean): void {
    if (!isBinary) throw this.error('PROTOCOL', 'sent a text message, expected binary ones');
    if (this.open === null) {
      const header = this.readHeader(message);
      this.open = { header, bytes: message };
      if (header.payloadBytes === 0) this.complete(NOTHING);
      return;
    }
    const { payloadBytes } = this.open.header;
    if (message.byteLength !== payloadBytes) {
      throw this.error(
        'PROTOCOL',
        `sent a payload of ${message.byteLength} bytes, expected ${payloadBytes}`,
      );
    }
    this.complete(message);
  }

  private readHeader(message: Uint8Array): RingFrameHeader {
    const { fence, peerRank, maxPayloadBytes } = this.options;
    let header: RingFrameHeader;
    try {
      header = decodeRingFrameHeader(message);
    } catch (error) {
      if (!(error instanceof RingFrameError)) throw error;
      throw this.error('PROTOCOL', `sent a frame that is none: ${error.message}`);
    }
    if (header.attempt !== fence.attempt || header.generation !== fence.generation) {
      throw this.error(
        'STALE_GENERATION',
        `sent a frame of attempt ${header.attempt}, generation ${header.generation}, ` +
          `expected ${fence.attempt}, ${fence.generation}`,
      );
    }
    if (header.rank !== peerRank) {
      throw this.error('PROTOCOL', `sent a frame of rank ${header.rank}, expected ${peerRank}`);
    }
    if (header.payloadBytes > maxPayloadBytes) {
      throw this.error(
        'FRAME_TOO_LARGE',
        `sent a frame of ${header.payloadBytes} bytes, expected at most ${maxPayloadBytes}`,
      );
    }
    return header;
  }

  private complete(payload: Uint8Array): void {
    if (this.open === null) return;
    const { header, bytes } = this.open;
    this.open = null;
    const checksum = ringFrameChecksum(bytes, payload, crc32);
    if (checksum !== header.checksum) {
      throw this.error(
        'CHECKSUM',
        `sent ${header.operation ?? header.kind} ${header.sequence}, segment ${header.segment}, ` +
          `with checksum ${header.checksum}, but its bytes have ${checksum}`,
      );
    }
    this.options.onFrame(header, payload);
  }

  private error(code: CollectiveError['code'], what: string): CollectiveError {
    const rank = this.options.peerRank;
    return new CollectiveError(code, `rank ${rank} ${what}`, { rank });
  }
}
