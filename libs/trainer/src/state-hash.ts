import { createHash } from 'node:crypto';
import type { Position } from '@skipring/protocol';
import type { TensorMap } from './engine.js';

/**
 * SHA-256 over all that decides the bits of later steps: position, exponents, and each tensor's
 * name, shape and values, by name. Lengths are hashed with what they bound, so that no two states
 * share an encoding. Multi-byte values are little endian, as on every supported processor.
 */
export function hashState(position: Position, exponents: Int32Array, tensors: TensorMap): string {
  const hash = createHash('sha256');
  const names = [...tensors.keys()].sort();
  hash.update(JSON.stringify([position.step, position.epoch, position.cursor, exponents.length]));
  hash.update(bytesOf(exponents));
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    hash.update(JSON.stringify([name, tensor.shape, tensor.values.length]));
    hash.update(bytesOf(tensor.values));
  }
  return hash.digest('hex');
}

/** The bytes of a typed array, without copying them. */
export function bytesOf(values: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
