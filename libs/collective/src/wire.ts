import {
  BFLOAT16_BYTES,
  narrowBfloat16,
  reduceBfloat16,
  unpackBfloat16,
  widenBfloat16,
  type Rounding,
} from './bfloat16.js';
import type { Range } from './chunks.js';
import type { CombineDigests } from './combine.js';
import { digest } from './digest.js';
import type { Accumulator, Sink } from './transport.js';
import {
  beginningOf,
  bytesOf,
  Combining,
  kernelFor,
  memoryNextTo,
  type Reduction,
  type Vector,
} from './vector.js';
import { STAGING_BYTES } from './wasm/shared-memory.js';

/** A segment that comes in. */
export interface Arrival {
  readonly range: Range;
  readonly combine: 'reduce' | 'replace';
  /** Its number when it goes out again. */
  readonly segment: number;
  /** What the next rank does with it then: `replace` if this is the result; null: it goes nowhere. */
  readonly sentTo: 'reduce' | 'replace' | null;
}

/** How the elements of a vector cross the ring: where the bytes of a segment are before and after. */
export interface Wire {
  /** Of an element on its way. */
  readonly elementBytes: number;
  /** Makes what a rank has of these elements, and nobody has combined with anything, ready to be sent. */
  pack(range: Range, segment: number): void;
  /** The bytes to send of elements that were packed or came in. */
  payload(range: Range): Uint8Array;
  sink(arrival: Arrival): Sink;
  /** The result for these elements has been sent. */
  finish(range: Range): void;
  /** After the last segment, or a failure. */
  close(): void;
}

const NOTHING = (): void => undefined;

/** Elements as they are, without a copy. */
export function plainWire(vector: Vector, reduction: Reduction, staging: Uint8Array | null): Wire {
  const kernel = kernelFor(vector, reduction);
  const payload = ({ begin, end }: Range) => bytesOf(vector, begin, end);
  return {
    elementBytes: vector.BYTES_PER_ELEMENT,
    pack: NOTHING,
    payload,
    sink: ({ range, combine }) =>
      combine === 'reduce' ? new Combining(payload(range), kernel, staging) : payload(range),
    finish: NOTHING,
    close: NOTHING,
  };
}

/**
 * Elements as bfloat16: half the bytes, and a rounding before every send. They are combined in float32.
 * While a partial sum or what only passes through is on its way, its bfloat16 values lie in the first half
 * of its own bytes: what was there is sent, or combined with what came, and comes back around as a result.
 * A result becomes float32 at once, and what is still to be sent of it waits elsewhere, where there is room.
 */
export function bfloat16Wire(
  vector: Float32Array,
  rounding: Rounding,
  reduction: Reduction,
  staging: Uint8Array | null,
): Wire {
  const memory = memoryNextTo(vector);
  /** Results that wait to be sent, by the first element of their range. */
  const waiting = new Map<number, Uint8Array>();
  const floatsOf = ({ begin, end }: Range) => vector.subarray(begin, end);
  const numBytes = ({ begin, end }: Range) => BFLOAT16_BYTES * (end - begin);
  const inPlace = (range: Range) =>
    bytesOf(vector, range.begin, range.end).subarray(0, numBytes(range));
  const payload = (range: Range) =>
    waiting.get(range.begin)?.subarray(0, numBytes(range)) ?? inPlace(range);
  const seeded = (segment: number): Rounding =>
    rounding.mode === 'nearest' ? rounding : { ...rounding, seed: rounding.seed + segment };
  const outside = (range: Range): Uint8Array | null => {
    if (numBytes(range) > STAGING_BYTES) return null;
    const room = memory.lendStaging('send');
    if (room !== null) waiting.set(range.begin, room);
    return room;
  };
  return {
    elementBytes: BFLOAT16_BYTES,
    pack: (range, segment) => {
      narrowBfloat16(floatsOf(range), payload(range), seeded(segment));
    },
    payload,
    sink: ({ range, combine, segment, sentTo }) => {
      if (combine === 'replace' && sentTo !== null) return inPlace(range);
      const floats = floatsOf(range);
      if (combine === 'replace') return new Widening(floats, staging);
      const isResult = sentTo === 'replace';
      const packed = () => (isResult ? outside(range) : null) ?? inPlace(range);
      return new Repacking(floats, packed, reduction, seeded(segment), staging);
    },
    finish: (range) => {
      const room = waiting.get(range.begin);
      if (room === undefined) widenBfloat16(floatsOf(range));
      else memory.giveBack('send', room);
      waiting.delete(range.begin);
    },
    close: () => {
      for (const room of waiting.values()) memory.giveBack('send', room);
      waiting.clear();
    },
  };
}

/** What comes for some floats as bfloat16 values, and where it may be put before it is worked on. */
abstract class PackedSink implements Accumulator {
  constructor(
    protected readonly floats: Float32Array,
    private readonly staging: Uint8Array | null,
  ) {}

  get byteLength(): number {
    return BFLOAT16_BYTES * this.floats.length;
  }

  place(): Uint8Array | null {
    return beginningOf(this.staging, this.byteLength);
  }

  abstract add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests;

  /** The floats that a part of the payload is about. */
  protected floatsOf(part: Uint8Array, begin: number): Float32Array {
    const first = begin / BFLOAT16_BYTES;
    return this.floats.subarray(first, first + part.byteLength / BFLOAT16_BYTES);
  }
}

/** A result that is not passed on: it becomes float32. */
class Widening extends PackedSink {
  add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests {
    const ofAddend = digest(part, before.ofAddend);
    unpackBfloat16(this.floatsOf(part, begin), part, 'set');
    return { ofAddend, ofTarget: undefined };
  }
}

/** Combines what comes with floats and leaves the result rounded, to be sent on. */
class Repacking extends PackedSink {
  private packed: Uint8Array | null = null;

  constructor(
    floats: Float32Array,
    /** Where the result goes: elsewhere, or to the first half of the bytes of the floats. */
    private readonly target: () => Uint8Array,
    private readonly reduction: Reduction,
    private readonly rounding: Rounding,
    staging: Uint8Array | null,
  ) {
    super(floats, staging);
  }

  add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests {
    const { reduction, rounding } = this;
    const all = (this.packed ??= this.target());
    const ofAddend = digest(part, before.ofAddend);
    const packed = all.subarray(begin, begin + part.byteLength);
    reduceBfloat16(this.floatsOf(part, begin), part, {
      packed,
      firstIndex: begin / BFLOAT16_BYTES,
      reduction,
      rounding,
      keepsFloats: all.byteOffset !== this.floats.byteOffset,
    });
    return { ofAddend, ofTarget: digest(packed, before.ofTarget) };
  }
}
