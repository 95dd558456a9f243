import type { Accumulator } from './transport.js';

/** What can be summed; may lie in a SharedArrayBuffer. */
export type Vector = Int32Array | Float32Array;

export const ELEMENT_BYTES = 4;

/** The bytes of elements `begin` to `end`, without a copy. */
export function bytesOf(vector: Vector, begin: number, end: number): Uint8Array {
  return new Uint8Array(
    vector.buffer,
    vector.byteOffset + begin * ELEMENT_BYTES,
    (end - begin) * ELEMENT_BYTES,
  );
}

/**
 * Adds received elements to `target`: int32 modulo 2^32, float32 rounded to nearest after each
 * addition (IEEE 754, so the order of the two operands does not matter).
 */
export class Sum implements Accumulator {
  constructor(private readonly target: Vector) {}

  get byteLength(): number {
    return this.target.byteLength;
  }

  add(payload: Uint8Array): void {
    const { target } = this;
    if (target instanceof Int32Array) {
      addInto(target, new Int32Array(payload.buffer, payload.byteOffset, target.length));
    } else {
      addInto(target, new Float32Array(payload.buffer, payload.byteOffset, target.length));
    }
  }
}

function addInto<V extends Vector>(target: V, addend: V): void {
  const { length } = target;
  // `?? 0` is for the compiler: no index is out of range, and it costs no time (measured).
  for (let i = 0; i < length; i++) target[i] = (target[i] ?? 0) + (addend[i] ?? 0);
}
