import { describe, expect, it } from 'vitest';
import {
  backedOffExponents,
  initialExponents,
  MAX_EXPONENT,
  MIN_EXPONENT,
  nextExponents,
  targetBits,
  ZERO_CAP_EXPONENT,
} from './exponents.js';

const next = (exponent: number, maximum: number, lanes = 8): number =>
  nextExponents(Int32Array.of(exponent), [maximum], lanes)[0]!;

describe('exponents', () => {
  it('start at 24 for each slot', () => {
    expect([...initialExponents(3)]).toEqual([24, 24, 24]);
  });

  it('leave headroom for lanes that cancel out in the sum', () => {
    expect([1, 2, 4, 8, 1024].map(targetBits)).toEqual([25, 24, 24, 23, 20]);
  });

  it('stay when the sum has the target number of bits', () => {
    expect(next(24, 2 ** 22)).toBe(24);
    expect(next(24, 2 ** 23 - 1)).toBe(24);
  });

  it('fall at once by all the bits that are too many', () => {
    expect(next(24, 2 ** 23)).toBe(23);
    expect(next(24, 2 ** 31 - 1)).toBe(16);
  });

  it('rise by at most four bits a step', () => {
    expect(next(24, 2 ** 22 - 1)).toBe(25);
    expect(next(24, 2 ** 18)).toBe(28);
    expect(next(24, 1)).toBe(28);
  });

  it('rise by a bit where all is zero, up to a cap, and never fall to it', () => {
    expect(next(24, 0)).toBe(25);
    expect(next(ZERO_CAP_EXPONENT, 0)).toBe(ZERO_CAP_EXPONENT);
    expect(next(60, 0)).toBe(60);
  });

  it('stay in their range', () => {
    expect(next(MAX_EXPONENT, 1)).toBe(MAX_EXPONENT);
    expect(next(MIN_EXPONENT, 2 ** 31 - 1)).toBe(MIN_EXPONENT);
  });

  it('change each slot by its own magnitude, and leave their input as it was', () => {
    const exponents = Int32Array.of(24, 10);
    expect([...nextExponents(exponents, [2 ** 24, 2 ** 20], 8)]).toEqual([22, 12]);
    expect([...exponents]).toEqual([24, 10]);
  });

  it('fall by eight where a lane overflowed, and only there', () => {
    expect([...backedOffExponents(Int32Array.of(24, 24, 30), [0, 3, 1])!]).toEqual([24, 16, 22]);
    expect([...backedOffExponents(Int32Array.of(MIN_EXPONENT + 3), [1])!]).toEqual([MIN_EXPONENT]);
  });

  it('are exhausted when a slot overflows at the smallest', () => {
    expect(backedOffExponents(Int32Array.of(24, MIN_EXPONENT), [1, 1])).toBeNull();
    expect(backedOffExponents(Int32Array.of(24, MIN_EXPONENT), [1, 0])).not.toBeNull();
  });
});
