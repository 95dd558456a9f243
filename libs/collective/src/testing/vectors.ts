import { chunkRange } from '../chunks.js';
import { bytesOf, type Reduction, type Vector } from '../vector.js';

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

export type VectorType = 'int32' | 'float32' | 'int64';

/** Elements over the whole range of an integer, or float32 of magnitudes 2^-20 to 2^20. */
export function randomVector(type: VectorType, length: number, seed: number): Vector {
  const next = seededUint32(seed);
  const memory = new SharedArrayBuffer(length * (type === 'int64' ? 8 : 4));
  if (type === 'float32') {
    const vector = new Float32Array(memory);
    return vector.map(() => ((next() | 0) / 2 ** 31) * 2 ** ((next() % 41) - 20));
  }
  const words = new Int32Array(memory);
  for (let i = 0; i < words.length; i++) words[i] = next() | 0;
  return type === 'int32' ? words : new BigInt64Array(memory);
}

/** Element `i` of `a` and of `b` as one, computed the plain way. */
function reduceElement(a: Vector, b: Vector, i: number, reduction: Reduction): number | bigint {
  if (a instanceof BigInt64Array || b instanceof BigInt64Array) {
    const [x, y] = [BigInt(a[i] ?? 0), BigInt(b[i] ?? 0)];
    if (reduction === 'max') return x > y ? x : y;
    return BigInt.asIntN(64, x + y);
  }
  const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
  if (reduction === 'max') return Math.max(x, y);
  return a instanceof Int32Array ? (x + y) | 0 : Math.fround(x + y);
}

/** The order in which ranks are added at element `index`. */
type RankOrder = (index: number) => number[];

function reduceInOrder(inputs: readonly Vector[], orderAt: RankOrder, reduction: Reduction) {
  const result = inputs[0]?.slice();
  if (result === undefined) throw new Error('inputs is empty, expected a vector for each rank');
  for (let i = 0; i < result.length; i++) {
    const [first, ...others] = orderAt(i).map((rank) => inputs[rank]);
    if (first === undefined) throw new Error(`no rank is first at element ${i}`);
    result[i] = first[i] ?? NaN;
    for (const other of others) {
      if (other !== undefined) result[i] = reduceElement(result, other, i, reduction);
    }
  }
  return result;
}

/** The documented order of `ring`: chunk c begins with rank c + 1 and ends with rank c. */
export function ringReference(inputs: readonly Vector[], reduction: Reduction = 'sum'): Vector {
  const worldSize = inputs.length;
  const length = inputs[0]?.length ?? 0;
  const chunkOf = new Uint32Array(length);
  for (let chunk = 0; chunk < worldSize; chunk++) {
    const { begin, end } = chunkRange(length, worldSize, chunk);
    chunkOf.fill(chunk, begin, end);
  }
  const orders = inputs.map((_, chunk) => inputs.map((__, k) => (chunk + 1 + k) % worldSize));
  return reduceInOrder(inputs, (i) => orders[chunkOf[i] ?? 0] ?? [], reduction);
}

/** The documented order of `exchange`: rank 0, 1, 2, ... */
export function exchangeReference(inputs: readonly Vector[], reduction: Reduction = 'sum'): Vector {
  const ranks = inputs.map((_, rank) => rank);
  return reduceInOrder(inputs, () => ranks, reduction);
}

/** The bits of a vector, to compare it with another exactly. */
export function bitsOf(vector: Vector): string {
  return Buffer.from(bytesOf(vector)).toString('base64');
}
