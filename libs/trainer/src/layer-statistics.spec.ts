import { describe, expect, it } from 'vitest';
import { hashState } from './state-hash.js';
import { SimulatedJob } from './testing/simulated-job.js';

const STEPS = 10;

async function run(lanes: number[][], statistics?: { everySteps: number }) {
  const fields = { training: { steps: STEPS }, ...(statistics && { statistics }) };
  const job = new SimulatedJob(fields, { numSamples: 40 });
  const outcomes = await job.run({ lanes });
  expect(outcomes.map(({ kind }) => kind)).toEqual(lanes.map(() => 'finished'));
  const { position, exponents, tensors } = job.stateOf(0).snapshot();
  return { job, hash: hashState(position, exponents, tensors) };
}

describe('layer statistics', () => {
  it('come at the first step and at each n-th', async () => {
    const { job } = await run([[0, 1, 2, 3]], { everySteps: 4 });
    expect(job.statistics.map(({ statistics }) => statistics.step)).toEqual([1, 4, 8]);
    const [first] = job.statistics;
    expect(first?.statistics.epoch).toBe(0);
    expect(first?.statistics.gradientNorm[0]).toBeGreaterThan(0);
    expect(first?.statistics.activationMean[0]).toBeCloseTo(1 / 3);
  });

  it('are told by the owner of lane 0 alone, and are the same on any number of ranks', async () => {
    const alone = await run([[0, 1, 2, 3]], { everySteps: 1 });
    const together = await run([[3], [1, 0], [2]], { everySteps: 1 });
    expect(together.job.statistics.map(({ rank }) => rank)).toEqual(Array(STEPS).fill(1));
    expect(together.job.statistics.map(({ statistics }) => statistics)).toEqual(
      alone.job.statistics.map(({ statistics }) => statistics),
    );
  });

  it('change no bit of the result, and are off unless the spec asks for them', async () => {
    const without = await run([
      [0, 1],
      [2, 3],
    ]);
    const withThem = await run(
      [
        [0, 1],
        [2, 3],
      ],
      { everySteps: 2 },
    );
    expect(without.job.statistics).toEqual([]);
    expect(withThem.hash).toBe(without.hash);
  });
});
