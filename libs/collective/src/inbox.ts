import { CollectiveError } from './collective-error.js';
import type { CombineDigests } from './combine.js';
import { digest } from './digest.js';
import { Intake, type PayloadSource } from './intake.js';
import { MAX_SEGMENTS, type SegmentKey, type Sink } from './transport.js';

interface PostedReceive {
  readonly key: SegmentKey;
  readonly sink: Sink;
  /** Of the payload on its way; null: it was not placed. */
  intake: Intake | null;
  resolve(digest: number | undefined): void;
  reject(error: CollectiveError): void;
}

/** Counted for each held segment besides its payload. */
const HELD_OVERHEAD_BYTES = 256;

interface HeldSegment {
  readonly key: SegmentKey;
  readonly payload: Uint8Array;
  readonly checksum: number | undefined;
}

export interface InboxOptions {
  /** Above this many held bytes `onFull` asks the link to stop reading. */
  readonly maxHeldBytes: number;
  onFull(): void;
  /** Held bytes are back below half of the limit. */
  onDrained(): void;
}

/** Brings segments that arrive together with the receives that wait for them. */
export class Inbox {
  private readonly posted = new Map<number, PostedReceive>();
  /** Segments that arrived before their receive was posted. */
  private readonly held = new Map<number, HeldSegment>();
  private heldBytes = 0;
  private full = false;

  constructor(private readonly options: InboxOptions) {}

  /** Receives that wait. */
  get numPending(): number {
    return this.posted.size;
  }

  has(key: SegmentKey): boolean {
    return this.held.has(indexOf(key));
  }

  /** Resolves with the digest of what is in the sink then, if it was computed. */
  post(key: SegmentKey, sink: Sink): Promise<number | undefined> {
    const index = indexOf(key);
    const early = this.held.get(index);
    if (early !== undefined) {
      this.held.delete(index);
      this.release(early.payload.byteLength + HELD_OVERHEAD_BYTES);
      return new Promise((resolve) => {
        // What is held was checked when it came.
        const { ofTarget } = fill(key, sink, early.key, early.payload, false);
        // In place it is what came; what combines it has another.
        resolve(sink instanceof Uint8Array ? early.checksum : ofTarget);
      });
    }
    if (this.posted.has(index)) {
      return Promise.reject(violation(`segment ${describe(key)} is received twice`));
    }
    return new Promise((resolve, reject) => {
      this.posted.set(index, { key, sink, intake: null, resolve, reject });
    });
  }

  /**
   * Where the link should put the payload of this segment, before it delivers it: the sink itself if
   * one waits.
   * @throws CollectiveError PROTOCOL if it does not fit the receive that waits for it.
   */
  place(key: SegmentKey, numBytes: number): Uint8Array {
    const receive = this.posted.get(indexOf(key));
    if (receive === undefined) return new Uint8Array(numBytes);
    const { sink } = receive;
    expectFit(receive.key, sink, key, numBytes);
    const place = (sink instanceof Uint8Array ? sink : sink.place()) ?? new Uint8Array(numBytes);
    receive.intake = new Intake(sink, place);
    return place;
  }

  /** So many bytes are there of the payload that was placed last. */
  arrived(key: SegmentKey, numBytes: number): void {
    this.posted.get(indexOf(key))?.intake?.take(numBytes);
  }

  /** The payload that was placed last is taken from where it lies, as a whole. */
  pull(key: SegmentKey, place: Uint8Array, source: PayloadSource): void {
    const intake = this.posted.get(indexOf(key))?.intake ?? null;
    if (intake === null) source(0, place);
    else intake.pull(source);
  }

  /**
   * Takes a segment from the link; the inbox may keep `payload`, unless `place` gave it.
   *
   * @param checksum what `digest(payload)` should be; undefined: the link does not damage anything
   * @throws CollectiveError PROTOCOL if it does not fit the receive that waits for it, CHECKSUM
   */
  deliver(key: SegmentKey, payload: Uint8Array, checksum?: number): void {
    const index = indexOf(key);
    const receive = this.posted.get(index);
    if (receive !== undefined) {
      const found =
        receive.intake === null
          ? fill(receive.key, receive.sink, key, payload, checksum !== undefined)
          : receive.intake.finish();
      if (checksum !== undefined) expectChecksum(key, checksum, found.ofAddend);
      this.posted.delete(index);
      receive.resolve(found.ofTarget);
      return;
    }
    if (checksum !== undefined) expectChecksum(key, checksum, digest(payload));
    if (this.held.has(index)) throw violation(`segment ${describe(key)} came twice`);
    // A small part of a large buffer would keep all of it alive.
    const isPart = payload.buffer.byteLength > 2 * payload.byteLength;
    this.held.set(index, { key, payload: isPart ? new Uint8Array(payload) : payload, checksum });
    this.heldBytes += payload.byteLength + HELD_OVERHEAD_BYTES;
    if (!this.full && this.heldBytes > this.options.maxHeldBytes) {
      this.full = true;
      this.options.onFull();
    }
  }

  /** Rejects all that wait and forgets what is held. */
  fail(error: CollectiveError): void {
    const waiting = [...this.posted.values()];
    this.posted.clear();
    this.held.clear();
    this.heldBytes = 0;
    for (const receive of waiting) receive.reject(error);
  }

  private release(numBytes: number): void {
    this.heldBytes -= numBytes;
    if (this.full && this.heldBytes <= this.options.maxHeldBytes / 2) {
      this.full = false;
      this.options.onDrained();
    }
  }
}

function indexOf({ sequence, segment }: SegmentKey): number {
  return sequence * MAX_SEGMENTS + segment;
}

function expectFit(expected: SegmentKey, sink: Sink, key: SegmentKey, numBytes: number): void {
  if (key.operation !== expected.operation || numBytes !== sink.byteLength) {
    throw violation(
      `received ${describe(key)} of ${numBytes} bytes, expected ${describe(expected)} ` +
        `of ${sink.byteLength} bytes: do all ranks call the same collectives, with the same sizes?`,
    );
  }
}

function fill(
  expected: SegmentKey,
  sink: Sink,
  key: SegmentKey,
  payload: Uint8Array,
  isChecked: boolean,
): Partial<CombineDigests> {
  expectFit(expected, sink, key, payload.byteLength);
  if (!(sink instanceof Uint8Array)) {
    const aligned = payload.byteOffset % 8 === 0 ? payload : new Uint8Array(payload);
    return new Intake(sink, aligned).finish();
  }
  sink.set(payload);
  return isChecked ? new Intake(sink, sink).finish() : {};
}

function expectChecksum(key: SegmentKey, expected: number, found: number | undefined): void {
  if (found === expected) return;
  throw new CollectiveError(
    'CHECKSUM',
    `received ${describe(key)}, with checksum ${expected}, but its bytes have ${found}`,
  );
}

function describe({ operation, sequence, segment }: SegmentKey): string {
  return `${operation} ${sequence}, segment ${segment}`;
}

function violation(message: string): CollectiveError {
  return new CollectiveError('PROTOCOL', message);
}
