import { packBfloat16, unpackBfloat16, type Rounding } from './bfloat16.js';
import type { Range } from './chunks.js';
import type { CombineDigests } from './combine.js';
import { digest } from './digest.js';
import type { Accumulator, Sink } from './transport.js';
import { bytesOf, Combining, kernelFor, type Reduction, type Vector } from './vector.js';

/** How the elements of a vector cross the ring. */
export interface Wire {
  /** The bytes to send of some elements; a buffer that `release` takes back. */
  pack(range: Range, segment: number): Uint8Array;
  release(payload: Uint8Array): void;
  /** Where the bytes of some elements go. */
  sink(range: Range, combine: 'reduce' | 'replace'): Sink;
}

/** Elements as they are, without a copy. */
export function plainWire(vector: Vector, reduction: Reduction, staging: Uint8Array | null): Wire {
  const kernel = kernelFor(vector, reduction);
  return {
    pack: ({ begin, end }) => bytesOf(vector, begin, end),
    release: () => undefined,
    sink: ({ begin, end }, combine) => {
      const bytes = bytesOf(vector, begin, end);
      return combine === 'reduce' ? new Combining(bytes, kernel, staging) : bytes;
    },
  };
}

/**
 * Elements as bfloat16: half the bytes, and a rounding before every send. They are combined in float32.
 * What a rank sends is rounded in its own vector too, so that in the end all ranks hold the same bits.
 */
export function bfloat16Wire(
  vector: Float32Array,
  rounding: Rounding,
  reduction: Reduction,
  staging: Uint8Array | null,
): Wire {
  const free: Uint8Array[] = [];
  return {
    pack: ({ begin, end }, segment) => {
      const numBytes = 2 * (end - begin);
      const index = free.findIndex(({ byteLength }) => byteLength === numBytes);
      const [reused] = index < 0 ? [] : free.splice(index, 1);
      const packed = reused ?? new Uint8Array(numBytes);
      const seeded: Rounding =
        rounding.mode === 'nearest' ? rounding : { ...rounding, seed: rounding.seed + segment };
      packBfloat16(vector.subarray(begin, end), packed, seeded);
      return packed;
    },
    release: (payload) => {
      free.push(payload);
    },
    sink: ({ begin, end }, combine) =>
      new Unpacking(vector.subarray(begin, end), combine === 'reduce' ? reduction : 'set', staging),
  };
}

class Unpacking implements Accumulator {
  constructor(
    private readonly target: Float32Array,
    private readonly combine: 'set' | Reduction,
    private readonly staging: Uint8Array | null,
  ) {}

  get byteLength(): number {
    return 2 * this.target.length;
  }

  place(): Uint8Array | null {
    const { staging, byteLength } = this;
    return staging !== null && byteLength <= staging.byteLength
      ? staging.subarray(0, byteLength)
      : null;
  }

  add(payload: Uint8Array): CombineDigests {
    const ofAddend = digest(payload);
    unpackBfloat16(this.target, payload, this.combine);
    return { ofAddend, ofTarget: undefined };
  }
}
