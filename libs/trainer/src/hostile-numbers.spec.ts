import { describe, expect, it } from 'vitest';
import { SimulatedJob } from './testing/simulated-job.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch

describe('hostile numbers', () => {
  const altered = (change: (images: Float32Array) => void): SimulatedJob =>
    new SimulatedJob(
      {},
      {
        numSamples: NUM_SAMPLES,
        alter: ({ images }, epoch, step, lane) => {
          if (epoch === 0 && step === 1 && lane === 2) change(images);
        },
      },
    );

  it('repeats the step on all ranks when one lane overflows, to the same bits on any', async () => {
    const run = async (lanes: number[][]): Promise<SimulatedJob> => {
      const job = altered((images) => images.fill(300));
      await job.run({ lanes });
      return job;
    };
    const one = await run([[0, 1, 2, 3]]);
    const three = await run([[1], [0, 3], [2]]);
    const repeats = three.steps.filter(({ step }) => step === 2);
    expect(repeats.map(({ numRepeats }) => numRepeats)).toEqual([1, 1, 1]);
    expect(three.steps.filter(({ numRepeats }) => numRepeats > 0)).toHaveLength(3);
    expect(three.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
  });

  it('names step, lane and slot of a NaN on every rank, and changes nothing', async () => {
    const job = altered((images) => (images[3] = NaN));
    const outcomes = await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'aborted', code: 'NON_FINITE_GRADIENT', fatal: true });
      if (outcome.kind !== 'aborted') throw new Error(outcome.kind);
      expect(outcome.error.message).toContain('step 2, lane 2: NaN or infinity in dense/kernel');
      expect(outcome.position.step).toBe(1);
    }
  });
});

describe('replicas', () => {
  it('finds a diverged rank, names it, and repairs it in the next generation', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const three = [[1], [0, 3], [2]];
    const outcomes = await job.run({
      lanes: three,
      tamper: (states) => {
        const { engine } = states[2]!;
        const tensors = new Map(engine.readState());
        tensors.get('input/moving_mean')!.values[0]! += 1e-6;
        engine.writeState(tensors);
      },
    });
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'aborted', code: 'STATE_DIVERGED', fatal: false });
      expect(outcome.kind === 'aborted' && outcome.error.message).toContain('rank 2');
    }
    await job.run({ lanes: three });
    const expected = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    await expected.run({ lanes: [[0, 1, 2, 3]] });
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });

  it('refuses a step whose lanes do not cover its samples', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ lanes: [[0, 1], [3]] });
    expect(outcomes[0]).toMatchObject({ code: 'SAMPLES_MISMATCH', fatal: true });
  });
});
