import { describe, expect, it } from 'vitest';
import { epochPermutation } from './permutation.js';

/**
 * The first ids of some epochs, published so that another implementation can be checked against
 * them. They were reproduced by a program of 64-bit integer arithmetic in another language.
 */
const VECTORS = [
  { seed: 0, epoch: 0, numSamples: 10, order: [0, 7, 4, 6, 5, 1, 2, 8, 9, 3] },
  { seed: 1, epoch: 0, numSamples: 10, order: [1, 2, 0, 5, 9, 4, 8, 6, 7, 3] },
  { seed: 1, epoch: 1, numSamples: 10, order: [8, 6, 1, 4, 0, 2, 7, 9, 5, 3] },
  { seed: 2147483647, epoch: 9999, numSamples: 10, order: [5, 4, 9, 8, 3, 6, 7, 1, 0, 2] },
  { seed: 1, epoch: 0, numSamples: 60000, order: [48146, 45837, 54971, 23548, 5319, 20955] },
];

describe('epochPermutation', () => {
  it.each([1, 2, 3, 97, 1000, 60_000])('is a bijection of %i samples', (numSamples) => {
    const seen = new Uint8Array(numSamples);
    for (const id of epochPermutation(7, 3, numSamples)) seen[id]! += 1;
    expect(seen.every((count) => count === 1)).toBe(true);
  });

  it('differs by seed and by epoch, and is otherwise the same', () => {
    const order = epochPermutation(1, 0, 100);
    expect(epochPermutation(1, 0, 100)).toEqual(order);
    expect(epochPermutation(1, 1, 100)).not.toEqual(order);
    expect(epochPermutation(2, 0, 100)).not.toEqual(order);
    // Neither number may stand in for the other.
    expect(epochPermutation(0, 1, 100)).not.toEqual(order);
  });

  it('puts each sample in each place about equally often', () => {
    const numSamples = 8;
    const trials = 8_000;
    const counts = new Uint32Array(numSamples * numSamples);
    for (let epoch = 0; epoch < trials; epoch++) {
      epochPermutation(5, epoch, numSamples).forEach((id, place) => {
        counts[id * numSamples + place]! += 1;
      });
    }
    const expected = trials / numSamples;
    const chiSquared = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 49 degrees of freedom; 0.999 quantile 85.4.
    expect(chiSquared).toBeLessThan(85.4);
  });

  it('refuses a split without samples', () => {
    expect(() => epochPermutation(1, 0, 0)).toThrow(/numSamples is 0; expected an integer >= 1/);
  });

  it.each(VECTORS)('keeps its published vector for seed $seed, epoch $epoch', (vector) => {
    const { seed, epoch, numSamples, order } = vector;
    expect([...epochPermutation(seed, epoch, numSamples)].slice(0, order.length)).toEqual(order);
  });
});
