import { describe, expect, it } from 'vitest';
import type { TensorMap } from '../engine.js';
import { addChanges, exponentsFor, largestChanges } from './mean-change.js';

const NAMES = ['kernel', 'bias'];

function tensors(kernel: number[], bias: number[]): TensorMap {
  return new Map(
    Object.entries({ kernel, bias }).map(([name, values]) => [
      name,
      { shape: [values.length], values: Float32Array.from(values) },
    ]),
  );
}

const BEFORE = tensors([1, 2, 3], [0.5]);

describe('largestChanges', () => {
  it('is over all replicas, by tensor', () => {
    const ends = [tensors([1, 2, 2.5], [0.5]), tensors([3, 2, 3], [0.25])];
    expect([...largestChanges(BEFORE, ends, NAMES)]).toEqual([2, 0.25]);
    expect([...largestChanges(BEFORE, [], NAMES)]).toEqual([0, 0]);
  });

  it.each([0, 1, 2])('is NaN where element %i is, whatever follows it', (at) => {
    const after = [1, 2, 3.5];
    after[at] = NaN;
    const found = largestChanges(BEFORE, [tensors(after, [0.5]), BEFORE], NAMES);
    expect([...found]).toEqual([NaN, 0]);
  });
});

describe('addChanges', () => {
  it('sums changes of replicas in fixed point, with the exponent of each tensor', () => {
    const ends = [tensors([0.5, 2, 3.25], [0.25]), tensors([1, 1.75, 3], [0.75])];
    const maxima = largestChanges(BEFORE, ends, NAMES);
    const exponents = exponentsFor(maxima, ends.length);
    const sum = new Int32Array(4);
    for (const after of ends) addChanges(sum, BEFORE, after, NAMES, exponents);
    const [ofKernel = 0, ofBias = 0] = exponents;
    const units = [...sum].map((word, i) => word * 2 ** -(i < 3 ? ofKernel : ofBias));
    expect(units).toEqual([0.5, 0.25, -0.25, 0]);
    expect([...exponents]).toEqual([29, 30]);
  });
});
