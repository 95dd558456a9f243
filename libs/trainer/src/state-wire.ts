import { createHash } from 'node:crypto';
import type { TensorData, TensorMap } from './engine.js';
import { bytesOf } from './state-hash.js';

/** SHA-256 over names and shapes, by name: equal for two engines of one model. */
export function hashShapes(tensors: TensorMap): string {
  const shapes = [...tensors].map(([name, { shape }]) => JSON.stringify([name, shape]));
  return createHash('sha256').update(shapes.sort().join('\n')).digest('hex');
}

/** All values one after the other, by name, as little-endian bytes in shared memory. */
export function flatten(tensors: TensorMap): Uint8Array {
  const numBytes = [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  const flat = new Uint8Array(new SharedArrayBuffer(numBytes));
  let offset = 0;
  for (const [, { values }] of byName(tensors)) {
    flat.set(bytesOf(values), offset);
    offset += values.byteLength;
  }
  return flat;
}

/** The inverse of `flatten`, for tensors of the names and shapes of `like`; copies. */
export function unflatten(flat: Uint8Array, like: TensorMap): TensorMap {
  let offset = 0;
  const tensors = byName(like).map(([name, { shape, values }]) => {
    const copy = new Float32Array(values.length);
    bytesOf(copy).set(flat.subarray(offset, (offset += copy.byteLength)));
    return [name, { shape, values: copy }] as const;
  });
  return new Map(tensors);
}

function byName(tensors: TensorMap): [string, TensorData][] {
  return [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
}
