import type { RingOperation } from '@skipring/protocol';
import type { CollectiveError } from './collective-error.js';
import type { CombineDigests } from './combine.js';

/** Names one segment of one collective on one link: both ends derive it by themselves. */
export interface SegmentKey {
  readonly operation: RingOperation;
  /** From `nextSequence`; the same on all ranks, because they call collectives in one order. */
  readonly sequence: number;
  /** Below MAX_SEGMENTS. */
  readonly segment: number;
}

/** Takes a segment that is not to be stored as it is, but combined with what is there. */
export interface Accumulator {
  readonly byteLength: number;
  /**
   * Where the payload may be put before `add` is called with it; null: anywhere. Of all accumulators
   * that wait, only one at a time has its payload on the way.
   */
  place(): Uint8Array | null;
  /**
   * `part` is what follows the first `begin` bytes of the payload, which are whole blocks (see `digest`)
   * and were added before; so is `part`, unless it is the last. It starts at a multiple of 8 and is valid
   * during the call only. The digests `before` are those of the bytes before, and are continued: they
   * come of the pass over memory that combining needs anyway.
   */
  add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests;
}

/** Where a received segment goes: bytes to be overwritten in place, or an accumulator. */
export type Sink = Uint8Array | Accumulator;

/** Segments per link of one collective. */
export const MAX_SEGMENTS = 2 ** 20;

/**
 * This rank's place in the ring of one generation: a link to the next rank (rank + 1) to send on,
 * and one from the previous rank to receive from. Reliable and in order; several collectives may be
 * under way at once. The first failure of any kind is latched: it rejects all that is pending and
 * all that follows, and is passed on to both neighbours.
 */
export interface Transport {
  readonly rank: number;
  readonly worldSize: number;
  /** Most bytes per segment when a collective's options name none; the same on all ranks. */
  readonly segmentBytes: number;
  /**
   * Vectors up to this size are reduced by `exchange` when a collective's options name no algorithm; the
   * same on all ranks.
   */
  readonly exchangeLimitBytes: number;
  /** Payload and header bytes sent so far. */
  readonly bytesSent: number;
  /** How fast the previous rank's bytes come in; null: not measured. */
  readonly incomingBytesPerSecond: number | null;
  /** The latched error; null while the transport works. */
  readonly failed: CollectiveError | null;

  /** Number of the next collective: 0, 1, 2, ... */
  nextSequence(): number;

  /**
   * Sends one segment to the next rank. `payload` is not copied and may lie in a
   * SharedArrayBuffer: leave it as it is until the promise resolves, which is when the bytes are
   * with the operating system. Bounding what is in flight is the caller's part.
   *
   * @param checksum `digest(payload)`, if it is known
   */
  send(key: SegmentKey, payload: Uint8Array, checksum?: number): Promise<void>;

  /**
   * Takes one segment from the previous rank into `sink`; resolves when it is there. May be called
   * before or after the segment arrives; before is cheaper, as the bytes are then read straight into
   * place. Each segment is received once. After a rejection the bytes of `sink` are undefined, and
   * nothing writes to them any more.
   *
   * @returns the digest of what is in the sink now, or undefined if nobody needed to compute it
   */
  receive(key: SegmentKey, sink: Sink): Promise<number | undefined>;

  /** Latches `error`, unless one is latched already, and tells both neighbours. */
  abort(error: CollectiveError): void;

  /**
   * Calls `listener` once, on failure; at once if already failed; not for a `close` of this rank
   * with nothing pending. Returns an unsubscribe.
   */
  onFailure(listener: (error: CollectiveError) => void): () => void;

  /**
   * Leaves the ring. With nothing pending the neighbours notice only when they need this rank;
   * otherwise it is an abort. Resolves, in bounded time, when the links are closed.
   */
  close(): Promise<void>;
}
