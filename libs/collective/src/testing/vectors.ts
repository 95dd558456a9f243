import { chunkRange } from '../chunks.js';
import { bytesOf, type Vector } from '../vector.js';

/** mulberry32: a 32-bit generator whose state is one integer. */
export function seededUint32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export type VectorType = 'int32' | 'float32';

/** Elements over the whole range of int32, or float32 of magnitudes 2^-20 to 2^20. */
export function randomVector(type: VectorType, length: number, seed: number): Vector {
  const next = seededUint32(seed);
  const vector =
    type === 'int32'
      ? new Int32Array(new SharedArrayBuffer(length * 4))
      : new Float32Array(new SharedArrayBuffer(length * 4));
  for (let i = 0; i < length; i++) {
    const bits = next() | 0;
    vector[i] = type === 'int32' ? bits : (bits / 2 ** 31) * 2 ** ((next() % 41) - 20);
  }
  return vector;
}

/** The sum in the documented order: chunk c begins with rank c + 1 and ends with rank c. */
export function referenceSum(inputs: readonly Vector[]): Vector {
  const worldSize = inputs.length;
  const [first] = inputs;
  if (first === undefined) throw new Error('referenceSum: inputs is empty, expected a vector');
  const sum = first instanceof Int32Array ? new Int32Array(first) : new Float32Array(first);
  for (let chunk = 0; chunk < worldSize; chunk++) {
    const { begin, end } = chunkRange(sum.length, worldSize, chunk);
    for (let i = begin; i < end; i++) {
      sum[i] = inputs[(chunk + 1) % worldSize]?.[i] ?? NaN;
      for (let k = 2; k <= worldSize; k++) {
        sum[i] = (sum[i] ?? NaN) + (inputs[(chunk + k) % worldSize]?.[i] ?? NaN);
      }
    }
  }
  return sum;
}

/** The bits of a vector, to compare it with another exactly. */
export function bitsOf(vector: Vector): string {
  return Buffer.from(bytesOf(vector, 0, vector.length)).toString('base64');
}
