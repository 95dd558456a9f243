import { CollectiveError } from './collective-error.js';
import { EXCHANGE_LIMIT_BYTES } from './exchange.js';
import { FailureLatch } from './failure-latch.js';
import { Inbox } from './inbox.js';
import type { PayloadSource } from './intake.js';
import { SegmentOrder } from './segment-order.js';
import type { SegmentKey, Sink, Transport } from './transport.js';

/** What a segment that no receive waits for may occupy in memory, summed over such segments. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

export interface InboxTransportOptions {
  readonly rank: number;
  readonly worldSize: number;
  readonly segmentBytes: number;
  /** Default: EXCHANGE_LIMIT_BYTES. */
  readonly exchangeLimitBytes?: number | undefined;
  /** Default: MAX_HELD_BYTES. */
  readonly maxHeldBytes?: number | undefined;
}

/** What all transports share: the latch, the matching of segments with receives, the counters. */
export abstract class InboxTransport implements Transport {
  readonly rank: number;
  readonly worldSize: number;
  readonly segmentBytes: number;
  readonly exchangeLimitBytes: number;
  abstract readonly incomingBytesPerSecond: number | null;
  private readonly latch = new FailureLatch();
  private readonly inbox: Inbox;
  private readonly order = new SegmentOrder();
  private sequence = 0;
  private numBytesSent = 0;
  private numSending = 0;
  private previousLeft = false;
  private nextLeft = false;
  private closing: Promise<void> | null = null;

  protected constructor(options: InboxTransportOptions) {
    this.rank = options.rank;
    this.worldSize = options.worldSize;
    this.segmentBytes = options.segmentBytes;
    this.exchangeLimitBytes = options.exchangeLimitBytes ?? EXCHANGE_LIMIT_BYTES;
    this.inbox = new Inbox({
      maxHeldBytes: options.maxHeldBytes ?? MAX_HELD_BYTES,
      onFull: () => {
        this.pauseReceiving();
      },
      onDrained: () => {
        this.resumeReceiving();
      },
    });
  }

  get failed(): CollectiveError | null {
    return this.latch.failed;
  }

  get bytesSent(): number {
    return this.numBytesSent;
  }

  get nextRank(): number {
    return (this.rank + 1) % this.worldSize;
  }

  get previousRank(): number {
    return (this.rank + this.worldSize - 1) % this.worldSize;
  }

  nextSequence(): number {
    return this.sequence++;
  }

  async send(key: SegmentKey, payload: Uint8Array, checksum?: number): Promise<void> {
    if (this.nextLeft) this.abort(this.peerClosed(this.nextRank));
    if (this.failed !== null) throw this.failed;
    this.numSending++;
    try {
      const frameBytes = await this.transmit(key, payload, checksum);
      this.numBytesSent += frameBytes;
    } catch (error) {
      this.abort(this.peerClosed(this.nextRank, error));
    } finally {
      this.numSending--;
    }
    // Read anew: an abort may have come from anywhere while the bytes were on their way.
    const { failed } = this.latch;
    if (failed !== null) throw failed;
  }

  receive(key: SegmentKey, sink: Sink): Promise<number | undefined> {
    if (this.previousLeft && !this.inbox.has(key)) this.abort(this.peerClosed(this.previousRank));
    if (this.failed !== null) return Promise.reject(this.failed);
    return this.inbox.post(key, sink);
  }

  abort(error: CollectiveError): void {
    if (!this.latch.fail(error)) return;
    this.inbox.fail(error);
    this.disconnect(error);
  }

  onFailure(listener: (error: CollectiveError) => void): () => void {
    return this.latch.onFailure(listener);
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  /**
   * Where to put the payload of a segment that is on its way, before `deliver`.
   * @throws CollectiveError PROTOCOL if it does not fit the receive that waits for it.
   */
  protected place(key: SegmentKey, numBytes: number): Uint8Array {
    try {
      this.order.expectNext(key);
      return this.inbox.place(key, numBytes);
    } catch (error) {
      throw this.blamed(error);
    }
  }

  /** So many bytes are in the place of the segment that is on its way: they are worked on at once. */
  protected arrived(key: SegmentKey, numBytes: number): void {
    this.inbox.arrived(key, numBytes);
  }

  /** The payload of the segment that was placed last lies in memory: it is taken from there. */
  protected pull(key: SegmentKey, place: Uint8Array, source: PayloadSource): void {
    this.inbox.pull(key, place, source);
  }

  /** Takes a segment off the link; a violation aborts. */
  protected deliver(key: SegmentKey, payload: Uint8Array, checksum?: number): void {
    if (this.failed !== null) return;
    try {
      this.order.take(key);
      this.inbox.deliver(key, payload, checksum);
    } catch (error) {
      this.abort(this.blamed(error));
    }
  }

  /** A neighbour left in good order: a failure only if this rank still needs it. */
  protected neighbourLeft(link: 'next' | 'previous'): void {
    if (link === 'previous') this.previousLeft = true;
    else this.nextLeft = true;
    const needed = link === 'previous' ? this.inbox.numPending > 0 : this.numSending > 0;
    if (needed) {
      this.abort(this.peerClosed(link === 'previous' ? this.previousRank : this.nextRank));
    }
  }

  private blamed(error: unknown): CollectiveError {
    const rank = this.previousRank;
    return error instanceof CollectiveError
      ? new CollectiveError(error.code, error.message, { rank })
      : new CollectiveError('PROTOCOL', `can't take a segment: ${String(error)}`, {
          cause: error,
          rank,
        });
  }

  protected peerClosed(rank: number, cause?: unknown): CollectiveError {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    return new CollectiveError('PEER_CLOSED', `the link with rank ${rank} is closed${why}`, {
      rank,
      cause,
    });
  }

  private async leave(): Promise<void> {
    const idle = this.inbox.numPending === 0 && this.numSending === 0;
    const error = new CollectiveError('CLOSED', `rank ${this.rank} closed its transport`, {
      rank: this.rank,
    });
    if (idle) this.latch.close(error);
    else this.abort(error);
    await this.closeLinks();
  }

  /** Hands the bytes over; resolves with their number, header included. */
  protected abstract transmit(
    key: SegmentKey,
    payload: Uint8Array,
    checksum?: number,
  ): Promise<number>;
  protected abstract pauseReceiving(): void;
  protected abstract resumeReceiving(): void;
  /** Tells both neighbours of the failure and breaks the links, without waiting. */
  protected abstract disconnect(error: CollectiveError): void;
  /** Closes the links in good order, or waits until they are broken; bounded. */
  protected abstract closeLinks(): Promise<void>;
}
