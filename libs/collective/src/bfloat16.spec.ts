import { describe, expect, it } from 'vitest';
import {
  narrowBfloat16,
  packBfloat16,
  reduceBfloat16,
  unpackBfloat16,
  widenBfloat16,
} from './bfloat16.js';
import { bytesOf } from './vector.js';
import { randomVector } from './testing/vectors.js';
import { SharedMemory } from './wasm/shared-memory.js';

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);
const fromBits = (...bits: number[]): Float32Array =>
  new Float32Array(Uint32Array.from(bits).buffer);
const halves = (packed: Uint8Array): Uint16Array => new Uint16Array(packed.slice().buffer);

/** Round to nearest even, bit by bit. */
function nearest(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits | 0x00400000) >>> 16) & 0xffff;
  const [low, high] = [bits & 0xffff, bits >>> 16];
  const up = low > 0x8000 || (low === 0x8000 && (high & 1) === 1);
  return (high + (up ? 1 : 0)) & 0xffff;
}

describe('bfloat16', () => {
  it('rounds to the nearest value, wherever the floats lie, and leaves what it packed', () => {
    for (const length of [0, 1, 7, 8, 9, 1_003, 40_001]) {
      const values = randomVector('float32', length, length + 1) as Float32Array;
      const expected = bitsOf(values).map(nearest);
      const memory = SharedMemory.allocate(4 * length + 4);
      const inside = new Float32Array(memory.buffer, memory.dataOffset + 4, length);
      for (const floats of [values.slice(), inside]) {
        floats.set(values);
        const packed = new Uint8Array(2 * length);
        packBfloat16(floats, packed);
        expect(Buffer.compare(packed, new Uint8Array(Uint16Array.from(expected).buffer))).toBe(0);
        expect(bitsOf(floats)).toEqual(expected.map((half) => (half << 16) >>> 0));
        const sum = floats.slice();
        unpackBfloat16(sum, packed, 'sum');
        expect(sum).toEqual(floats.map((value) => value + value));
        const largest = values.slice();
        unpackBfloat16(largest, packed, 'max');
        expect(largest).toEqual(values.map((value, i) => Math.max(value, floats[i]!)));
        const copy = new Float32Array(length);
        unpackBfloat16(copy, packed, 'set');
        expect(bitsOf(copy)).toEqual(bitsOf(floats));
      }
    }
  });

  it.each([{ mode: 'nearest' }, { mode: 'stochastic', seed: 9 }] as const)(
    'works in the first half of its own bytes, $mode',
    (rounding) => {
      for (const length of [0, 1, 7, 8, 9, 1_003, 40_001]) {
        const [values, others] = [1, 2].map((seed) => randomVector('float32', length, seed));
        const addend = new Uint8Array(2 * length);
        packBfloat16((others as Float32Array).slice(), addend);
        const memory = SharedMemory.allocate(4 * length + 4);
        const inside = new Float32Array(memory.buffer, memory.dataOffset + 4, length);
        for (const floats of [new Float32Array(length), inside]) {
          const packed = bytesOf(floats).subarray(0, 2 * length);
          const expected = (values as Float32Array).slice();
          packBfloat16(expected, new Uint8Array(2 * length), rounding);
          floats.set(values as Float32Array);
          narrowBfloat16(floats, packed, rounding);
          widenBfloat16(floats);
          expect(bitsOf(floats)).toEqual(bitsOf(expected));
          for (const reduction of ['sum', 'max'] as const) {
            const combined = (values as Float32Array).slice();
            unpackBfloat16(combined, addend, reduction);
            packBfloat16(combined, new Uint8Array(2 * length), rounding);
            floats.set(values as Float32Array);
            const how = { firstIndex: 0, reduction, rounding };
            reduceBfloat16(floats, addend, { ...how, packed, keepsFloats: false });
            widenBfloat16(floats);
            expect(bitsOf(floats)).toEqual(bitsOf(combined));
            floats.set(values as Float32Array);
            const apart = new Uint8Array(2 * length);
            reduceBfloat16(floats, addend, { ...how, packed: apart, keepsFloats: true });
            expect(bitsOf(floats)).toEqual(bitsOf(combined));
            unpackBfloat16(floats, apart, 'set');
            expect(bitsOf(floats)).toEqual(bitsOf(combined));
          }
        }
      }
    },
  );

  it.each([
    ['halfway to even', 0x3f808000, 0x3f80],
    ['halfway to even, upwards', 0x3f818000, 0x3f82],
    ['above halfway', 0x3f808001, 0x3f81],
    ['the largest float32 to infinity', 0x7f7fffff, 0x7f80],
    ['infinity', 0xff800000, 0xff80],
    ['a NaN with low bits alone', 0x7f800001, 0x7fc0],
    ['minus zero', 0x80000000, 0x8000],
    ['the smallest denormal', 0x00000001, 0x0000],
  ])('%s', (_, bits, expected) => {
    for (const rounding of [{ mode: 'nearest' }, { mode: 'stochastic', seed: 5 }] as const) {
      const packed = new Uint8Array(2);
      packBfloat16(fromBits(bits), packed, rounding);
      const isExact = (bits & 0xffff) === 0 || (bits & 0x7fffffff) > 0x7f800000;
      if (rounding.mode === 'nearest' || isExact) expect(halves(packed)[0]).toBe(expected);
    }
  });

  it('rounds stochastically to one of two neighbours, right in the mean, the same with one seed', () => {
    const length = 200_000;
    const value = 1 + 0.3 * 2 ** -7; // 0.3 of the way from 1 to the next bfloat16
    const roundedWith = (seed: number): Float32Array => {
      const floats = new Float32Array(length).fill(value);
      packBfloat16(floats, new Uint8Array(2 * length), { mode: 'stochastic', seed });
      return floats;
    };
    const first = roundedWith(1);
    expect(new Set(first)).toEqual(new Set([1, 1 + 2 ** -7]));
    const share = first.filter((x) => x > 1).length / length;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.005);
    expect(roundedWith(1)).toEqual(first);
    expect(roundedWith(2)).not.toEqual(first);
  });
});
