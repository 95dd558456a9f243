import { crc32 } from 'node:zlib';
import { CollectiveError, digest, type PayloadSource } from '@skipring/collective';
import {
  decodeRingFrameHeader,
  RING_FRAME_HEADER_BYTES,
  RingFrameError,
  type Fence,
  type RingFrameHeader,
} from '@skipring/protocol';
import { SLOT_BYTES } from './shared-slots.js';
import type { SlotReceiver } from './slot-links.js';

export interface FrameReaderOptions {
  readonly fence: Fence;
  /** Rank of the sender. */
  readonly peerRank: number;
  readonly maxPayloadBytes: number;
  /** Where the payload of the frame goes that this header announces. */
  place(header: RingFrameHeader): Uint8Array;
  /** So many bytes of that payload are there, and more are to come. */
  onProgress(header: RingFrameHeader, numBytes: number): void;
  /** The payload of a frame, for which `place` was asked, is to be taken from where it lies. */
  pull(header: RingFrameHeader, place: Uint8Array, source: PayloadSource): void;
  /** The payload of a data frame is not checked yet: that is best done where it is used. */
  onFrame(header: RingFrameHeader, payload: Uint8Array): void;
  /** Slots that this link's payloads may come through. */
  slots?: SlotReceiver | undefined;
}

const NOTHING = new Uint8Array(0);

/** Puts the messages of one socket together to frames, and lets none pass that is not right. */
export class FrameReader {
  private readonly headerBytes = new Uint8Array(RING_FRAME_HEADER_BYTES);
  /** The frame whose payload is on its way. */
  private open: { header: RingFrameHeader; payload: Uint8Array } | null = null;

  constructor(private readonly options: FrameReaderOptions) {}

  /** Where the next message goes, which has as many bytes. */
  begin(isBinary: boolean): Uint8Array {
    if (!isBinary) throw this.error('PROTOCOL', 'sent a text message, expected binary ones');
    return this.open?.payload ?? this.headerBytes;
  }

  /** The next message has so many bytes by now, in the place that `begin` named. */
  progress(numBytes: number): void {
    if (this.open !== null) this.options.onProgress(this.open.header, numBytes);
  }

  /**
   * The next message is complete, in the place that `begin` named.
   * @throws CollectiveError PROTOCOL, STALE_GENERATION, FRAME_TOO_LARGE or CHECKSUM.
   */
  end(numBytes: number): void {
    if (this.open === null) {
      this.readHeader(this.headerBytes.subarray(0, numBytes));
      return;
    }
    const { header, payload } = this.open;
    if (numBytes !== payload.byteLength) {
      throw this.error(
        'PROTOCOL',
        `sent a payload of ${numBytes} bytes, expected ${payload.byteLength}`,
      );
    }
    this.complete(header, payload);
  }

  private readHeader(bytes: Uint8Array): void {
    const { fence, peerRank, maxPayloadBytes } = this.options;
    const header = this.decode(bytes);
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
    if (header.kind === 'slot') this.readSlot(header);
    else if (header.payloadBytes === 0) this.complete(header, NOTHING);
    else this.open = { header, payload: this.options.place(header) };
  }

  private readSlot(header: RingFrameHeader): void {
    const { slots } = this.options;
    const { payloadBytes } = header;
    if (slots === undefined || payloadBytes > SLOT_BYTES) {
      const expected = slots === undefined ? 'none' : `at most ${SLOT_BYTES}`;
      throw this.error('PROTOCOL', `sent ${payloadBytes} bytes in a slot, expected ${expected}`);
    }
    const payload = this.options.place(header);
    slots.take((source) => {
      this.options.pull(header, payload, source);
    });
    this.complete(header, payload);
  }

  private decode(bytes: Uint8Array): RingFrameHeader {
    try {
      return decodeRingFrameHeader(bytes, crc32);
    } catch (error) {
      if (!(error instanceof RingFrameError)) throw error;
      throw error.code === 'RING_FRAME_CHECKSUM'
        ? this.error('CHECKSUM', `sent a damaged header: ${error.message}`)
        : this.error('PROTOCOL', `sent a frame that is none: ${error.message}`);
    }
  }

  private complete(header: RingFrameHeader, payload: Uint8Array): void {
    this.open = null;
    if (header.kind === 'abort') this.expectChecksum(header.checksum, digest(payload));
    this.options.onFrame(header, payload);
  }

  private expectChecksum(expected: number, found: number): void {
    if (found === expected) return;
    const what = `sent an abort with checksum ${expected}, but its bytes have ${found}`;
    throw this.error('CHECKSUM', what);
  }

  private error(code: CollectiveError['code'], what: string): CollectiveError {
    const rank = this.options.peerRank;
    return new CollectiveError(code, `rank ${rank} ${what}`, { rank });
  }
}
