import { describe, expect, it } from 'vitest';
import { trainBatchSizes } from './batch-sizes.js';
import { epochPermutation } from './permutation.js';
import { globalBatchSize, stepsPerEpoch } from './plan.js';
import { laneSamples, Sampler } from './sampler.js';

// 1009 is prime: no batch size divides it.
const cases = [
  { numSamples: 1009, lanes: { count: 8, size: 64 } },
  { numSamples: 1009, lanes: { count: 3, size: 7 } },
  { numSamples: 1009, lanes: { count: 1, size: 1 } },
  { numSamples: 1009, lanes: { count: 16, size: 128 } },
  { numSamples: 1009, lanes: { count: 1, size: 4096 } },
  { numSamples: 60_000, lanes: { count: 8, size: 64 } },
  { numSamples: 1024, lanes: { count: 8, size: 64 } },
];

describe('Sampler', () => {
  it.each(cases)('uses each of $numSamples ids once an epoch with $lanes', (plan) => {
    const { numSamples, lanes } = plan;
    const sampler = new Sampler({ seed: 9, ...plan });
    expect(sampler.stepsPerEpoch).toBe(stepsPerEpoch(numSamples, globalBatchSize(lanes)));
    for (const epoch of [0, 1]) {
      const uses = new Uint8Array(numSamples);
      const sizes = new Set<number>();
      for (let step = 0; step < sampler.stepsPerEpoch; step++) {
        let inStep = 0;
        for (let lane = 0; lane < lanes.count; lane++) {
          const ids = sampler.laneSamples(epoch, step, lane);
          for (const id of ids) uses[id]! += 1;
          if (ids.length > 0) sizes.add(ids.length);
          inStep += ids.length;
        }
        const full = step < sampler.stepsPerEpoch - 1;
        if (full) expect(inStep).toBe(globalBatchSize(lanes));
        expect(inStep).toBeGreaterThan(0);
      }
      expect(uses.every((count) => count === 1)).toBe(true);
      expect([...sizes].sort((a, b) => b - a)).toEqual(trainBatchSizes(numSamples, lanes));
    }
  });

  it('gives lane i of step s its place in the permutation', () => {
    const plan = { seed: 4, numSamples: 100, lanes: { count: 3, size: 8 } };
    const order = epochPermutation(4, 2, 100);
    expect(laneSamples(plan, 2, 1, 2)).toEqual(order.slice(24 + 16, 24 + 24));
    // The fifth step has four samples left: lane 0 is short, the others empty.
    expect(laneSamples(plan, 2, 4, 0)).toEqual(order.slice(96, 100));
    expect(laneSamples(plan, 2, 4, 1)).toHaveLength(0);
  });

  it('answers the same whatever was asked before', () => {
    const plan = { seed: 4, numSamples: 50, lanes: { count: 2, size: 8 } };
    const sampler = new Sampler(plan);
    sampler.laneSamples(5, 0, 0);
    sampler.laneSamples(1, 1, 1);
    expect(sampler.laneSamples(5, 2, 1)).toEqual(laneSamples(plan, 5, 2, 1));
  });

  it('refuses a step or lane that does not exist', () => {
    const sampler = new Sampler({ seed: 1, numSamples: 100, lanes: { count: 3, size: 8 } });
    expect(() => sampler.laneSamples(0, 5, 0)).toThrow(/stepInEpoch is 5; expected .* \[0, 5\)/);
    expect(() => sampler.laneSamples(0, 0, 3)).toThrow(/lane is 3; expected .* \[0, 3\)/);
    expect(() => sampler.laneSamples(0, -1, 0)).toThrow(/stepInEpoch is -1/);
    const noLanes = { seed: 1, numSamples: 10, lanes: { count: 0, size: 8 } };
    expect(() => new Sampler(noLanes)).toThrow(/lanes.count is 0/);
  });
});
