import { describe, expect, it } from 'vitest';
import { combine, type CombineKernel } from './combine.js';
import { digest } from './digest.js';
import { bitsOf, exchangeReference, randomVector, type VectorType } from './testing/vectors.js';
import { bytesOf, type Reduction, type Vector } from './vector.js';
import { SharedMemory, STAGING_BYTES } from './wasm/shared-memory.js';

const cases: readonly (readonly [CombineKernel, VectorType, Reduction])[] = [
  ['sumFloat32', 'float32', 'sum'],
  ['maxFloat32', 'float32', 'max'],
  ['sumInt32', 'int32', 'sum'],
  ['maxInt32', 'int32', 'max'],
  ['sumInt64', 'int64', 'sum'],
  ['maxInt64', 'int64', 'max'],
];

/** The same elements in a SharedMemory, `shift` bytes behind its beginning. */
function moved(memory: SharedMemory, vector: Vector, shift: number): Uint8Array {
  const bytes = new Uint8Array(memory.buffer, memory.dataOffset + shift, vector.byteLength);
  bytes.set(bytesOf(vector));
  return bytes;
}

describe('combine', () => {
  it.each(cases)(
    '%s does what plain arithmetic does, wherever the bytes lie',
    (kernel, type, op) => {
      const [here, there] = [SharedMemory.allocate(400_000), SharedMemory.allocate(400_000)];
      for (const length of [0, 1, 2, 15, 16, 17, 1_003, 20_001]) {
        const inputs = [randomVector(type, length, 1), randomVector(type, length, 2)] as const;
        const expected = bitsOf(exchangeReference(inputs, op));
        const bits = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
        const places: (() => readonly [Uint8Array, Uint8Array])[] = [
          () => [moved(here, inputs[0], 0), moved(here, inputs[1], 200_000)],
          () => [moved(here, inputs[0], 4), moved(there, inputs[1], 12)],
          () => [moved(here, inputs[0], 0), bytesOf(inputs[1])],
          () => [bytesOf(inputs[0].slice()), moved(here, inputs[1], 0)],
          () => [bytesOf(inputs[0].slice()), bytesOf(inputs[1])],
        ];
        for (const place of places) {
          const [target, addend] = place();
          const addendDigest = digest(addend);
          const digests = combine(kernel, target, addend);
          expect(bits(target) === expected, `${length} elements`).toBe(true);
          expect(digests).toEqual({ ofAddend: addendDigest, ofTarget: digest(target) });
        }
      }
    },
  );

  it('keeps what is special about float32', () => {
    const sum = (x: number, y: number) => {
      const target = Float32Array.of(x);
      combine('sumFloat32', bytesOf(target), bytesOf(Float32Array.of(y)));
      return target[0];
    };
    expect(sum(Infinity, -Infinity)).toBeNaN();
    expect(sum(1e-45, 1e-45)).toBe(Math.fround(3e-45));
    expect(sum(3.4e38, 3.4e38)).toBe(Infinity);
    const target = Float32Array.of(NaN, 1, -0);
    combine('maxFloat32', bytesOf(target), bytesOf(Float32Array.of(1, NaN, 0)));
    expect([...target]).toEqual([NaN, NaN, 0]);
  });
});

describe('maxInt64', () => {
  it('compares whole words with their signs', () => {
    const [low, high] = [-(2n ** 63n), 2n ** 63n - 1n];
    const target = BigInt64Array.of(low, high, -1n, 0n, 2n ** 32n, 5n);
    combine(
      'maxInt64',
      bytesOf(target),
      bytesOf(BigInt64Array.of(high, low, 0n, -1n, 2n ** 32n - 1n, 5n)),
    );
    expect([...target]).toEqual([high, high, 0n, 0n, 2n ** 32n, 5n]);
  });
});

describe('SharedMemory', () => {
  it('lends a limited number of stagings, that overlap with nothing', () => {
    const memory = SharedMemory.allocate(1_000);
    const lent = [memory.lendStaging('receive')!, memory.lendStaging('receive')!];
    expect(memory.lendStaging('receive')).toBeNull();
    const offsets = lent.map(({ byteOffset }) => byteOffset).sort((a, b) => a - b);
    expect(offsets[1]! - offsets[0]!).toBeGreaterThanOrEqual(STAGING_BYTES);
    expect(offsets[1]! + STAGING_BYTES).toBeLessThanOrEqual(memory.dataOffset);
    memory.giveBack('receive', lent[0]!);
    expect(memory.lendStaging('receive')?.byteOffset).toBe(lent[0]!.byteOffset);
  });

  it('is found by its buffer and by what another thread posts', () => {
    const memory = SharedMemory.allocate(8);
    expect(SharedMemory.holding(memory.buffer)).toBe(memory);
    expect(SharedMemory.of(memory.memory)).toBe(memory);
    expect(SharedMemory.holding(new SharedArrayBuffer(8))).toBeNull();
  });

  it.each([-1, 0.5, 2 ** 32, NaN])('refuses %d bytes by name', (numBytes) => {
    expect(() => SharedMemory.allocate(numBytes)).toThrow(`numBytes is ${numBytes}`);
  });
});
