import { combine, type CombineDigests, type CombineKernel } from './combine.js';
import type { Accumulator } from './transport.js';
import { SharedMemory } from './wasm/shared-memory.js';

/** What can be reduced; may lie in a SharedArrayBuffer, and is fastest in a `SharedMemory`. */
export type Vector = Int32Array | Float32Array | BigInt64Array;

/**
 * How elements of all ranks become one. `sum`: int32 modulo 2^32, int64 modulo 2^64, float32 rounded
 * to nearest after each addition (IEEE 754). `max`: the largest; of float32 NaN if any is NaN.
 */
export type Reduction = 'sum' | 'max';

/** The bytes of elements `begin` to `end`, without a copy. */
export function bytesOf(vector: Vector, begin = 0, end = vector.length): Uint8Array {
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = vector;
  return new Uint8Array(
    buffer,
    byteOffset + begin * BYTES_PER_ELEMENT,
    (end - begin) * BYTES_PER_ELEMENT,
  );
}

export function kernelFor(vector: Vector, reduction: Reduction): CombineKernel {
  if (vector instanceof Float32Array) return `${reduction}Float32`;
  return vector instanceof Int32Array ? `${reduction}Int32` : `${reduction}Int64`;
}

/** Combines received elements into `target`, the bytes of some elements. */
export class Combining implements Accumulator {
  constructor(
    private readonly target: Uint8Array,
    private readonly kernel: CombineKernel,
    /** Where a payload may be received, if it fits. */
    private readonly staging: Uint8Array | null,
  ) {}

  get byteLength(): number {
    return this.target.byteLength;
  }

  place(): Uint8Array | null {
    return beginningOf(this.staging, this.byteLength);
  }

  add(part: Uint8Array, begin: number, before: CombineDigests): CombineDigests {
    const target = this.target.subarray(begin, begin + part.byteLength);
    return combine(this.kernel, target, part, before);
  }
}

/** The first bytes of a staging, if it has so many. */
export function beginningOf(staging: Uint8Array | null, numBytes: number): Uint8Array | null {
  return staging !== null && numBytes <= staging.byteLength ? staging.subarray(0, numBytes) : null;
}

/** Where kernels work on it. */
export function memoryNextTo(vector: Vector): SharedMemory {
  return SharedMemory.holding(vector.buffer) ?? SharedMemory.common();
}

/** Runs `body` with room to receive into that lies next to `vector`, if there is some. */
export async function withStaging<T>(
  vector: Vector,
  body: (staging: Uint8Array | null) => Promise<T>,
): Promise<T> {
  const memory = memoryNextTo(vector);
  const staging = memory.lendStaging('receive');
  try {
    return await body(staging);
  } finally {
    if (staging !== null) memory.giveBack('receive', staging);
  }
}
