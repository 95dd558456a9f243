import {
  BFLOAT16_BYTES,
  narrowBfloat16,
  reduceBfloat16,
  widenBfloat16,
  type Rounding,
} from './bfloat16.js';
import type { Range } from './chunks.js';
import type { CombineDigests } from './combine.js';
import { digest } from './digest.js';
import type { Accumulator, Sink } from './transport.js';
import { bytesOf, Combining, kernelFor, type Reduction, type Vector } from './vector.js';

/** How the elements of a vector cross the ring: where the bytes of a segment are before and after. */
export interface Wire {
  /** Of an element on its way. */
  readonly elementBytes: number;
  /** Makes what a rank has of these elements, and nobody has combined with anything, ready to be sent. */
  pack(range: Range, segment: number): void;
  /** The bytes to send of elements that were packed or came in. */
  payload(range: Range): Uint8Array;
  /** Where these elements go that come in; they may go out as `segment`. */
  sink(range: Range, combine: 'reduce' | 'replace', segment: number): Sink;
  /** The result for these elements is here, and has been passed on. */
  finish(range: Range): void;
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
    sink: (range, combine) =>
      combine === 'reduce' ? new Combining(payload(range), kernel, staging) : payload(range),
    finish: NOTHING,
  };
}

/**
 * Elements as bfloat16: half the bytes, and a rounding before every send. They are combined in float32.
 * While a segment is on its way, its bfloat16 values lie in the first half of its own bytes: what was
 * there is sent, or combined with what came, and comes back around as a result.
 */
export function bfloat16Wire(
  vector: Float32Array,
  rounding: Rounding,
  reduction: Reduction,
  staging: Uint8Array | null,
): Wire {
  const floatsOf = ({ begin, end }: Range) => vector.subarray(begin, end);
  const payload = ({ begin, end }: Range) =>
    bytesOf(vector, begin, end).subarray(0, BFLOAT16_BYTES * (end - begin));
  const seeded = (segment: number): Rounding =>
    rounding.mode === 'nearest' ? rounding : { ...rounding, seed: rounding.seed + segment };
  return {
    elementBytes: BFLOAT16_BYTES,
    pack: (range, segment) => {
      narrowBfloat16(floatsOf(range), payload(range), seeded(segment));
    },
    payload,
    sink: (range, combine, segment) =>
      combine === 'reduce'
        ? new Repacking(floatsOf(range), payload(range), reduction, seeded(segment), staging)
        : payload(range),
    finish: (range) => {
      widenBfloat16(floatsOf(range));
    },
  };
}

/** Combines what comes with floats, and leaves the result rounded in the first half of their bytes. */
class Repacking implements Accumulator {
  constructor(
    private readonly floats: Float32Array,
    private readonly packed: Uint8Array,
    private readonly reduction: Reduction,
    private readonly rounding: Rounding,
    private readonly staging: Uint8Array | null,
  ) {}

  get byteLength(): number {
    return this.packed.byteLength;
  }

  place(): Uint8Array | null {
    const { staging, byteLength } = this;
    return staging !== null && byteLength <= staging.byteLength
      ? staging.subarray(0, byteLength)
      : null;
  }

  add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests {
    const { reduction, rounding } = this;
    const end = begin + part.byteLength;
    const ofAddend = digest(part, before.ofAddend);
    const packed = this.packed.subarray(begin, end);
    const firstIndex = begin / BFLOAT16_BYTES;
    const floats = this.floats.subarray(firstIndex, end / BFLOAT16_BYTES);
    reduceBfloat16(floats, part, { packed, firstIndex, reduction, rounding });
    return { ofAddend, ofTarget: digest(packed, before.ofTarget) };
  }
}
