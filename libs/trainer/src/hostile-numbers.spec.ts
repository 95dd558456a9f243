import { describe, expect, it } from 'vitest';
import type { Collective } from './ports.js';
import { InProcessRing } from './testing/in-process-collective.js';
import { SimulatedJob } from './testing/simulated-job.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch

describe('hostile numbers', () => {
  const altered = (
    change: (images: Float32Array) => void,
    spec: object = {},
    onSample: (epoch: number, step: number, sample: number) => void = () => undefined,
  ): SimulatedJob =>
    new SimulatedJob(spec, {
      numSamples: NUM_SAMPLES,
      onSample,
      alter: ({ images }, epoch, step, lane) => {
        if (epoch === 0 && step === 1 && lane === 2) change(images);
      },
    });
  const huge = (images: Float32Array): unknown => images.fill(300);

  it('repeats the step on all ranks when one lane overflows, to the same bits on any', async () => {
    const one = altered(huge);
    await one.run({ lanes: [[0, 1, 2, 3]] });
    const three = altered(huge);
    await three.run({ lanes: [[1], [0, 3], [2]] });
    const repeats = three.steps.filter(({ step }) => step === 2);
    expect(repeats.map(({ numRepeats }) => numRepeats)).toEqual([1, 1, 1]);
    expect(three.steps.filter(({ numRepeats }) => numRepeats > 0)).toHaveLength(3);
    expect(three.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
  });

  it('repeats it with the same samples, and goes on from the smaller exponents', async () => {
    const used: string[] = [];
    const job = altered(huge, { training: { steps: 3 } }, (epoch, step, sample) =>
      used.push(`${epoch}.${step}.${sample}`),
    );
    await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    const repeated = used.filter((sample) => sample.startsWith('0.1.'));
    expect(used).toHaveLength(4 * 16);
    expect(repeated).toHaveLength(2 * 16);
    expect(new Set(repeated).size).toBe(16);

    const short = altered(huge, { training: { steps: 2 } });
    await short.run({ lanes: [[0, 1, 2, 3]] });
    // The sum of the means is about 300, and four lanes have a target of 24 bits: 2^24 / 300 is a
    // little under 2^16. The gradient of the kernel is at most as large, that of the bias is not.
    expect([...short.stateOf(0).exponents]).toEqual([16, 23, 15]);
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

  it('commits nothing when a rank holds another reduced vector', async () => {
    const ring = new InProcessRing(2);
    const [first, second] = ring.collectives;
    let numOperations = 0;
    const faulty: Collective = {
      rank: 1,
      worldSize: 2,
      bytesSent: 0,
      broadcast: (bytes, root, deadlineMs) => second!.broadcast(bytes, root, deadlineMs),
      allReduce: async (vector, deadlineMs) => {
        await second!.allReduce(vector, deadlineMs);
        // Operations 0 and 1 are the first step and its vote.
        if (numOperations++ === 2) vector[5]! += 1;
      },
    };
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
      ring: { collectives: [first!, faulty], abort: (message) => ring.abort(message) },
    });
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 'REDUCTION_DIVERGED', position: { step: 1 } });
    }
  });

  it('refuses a step whose lanes do not cover its samples', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ lanes: [[0, 1], [3]] });
    expect(outcomes[0]).toMatchObject({ code: 'SAMPLES_MISMATCH', fatal: true });
  });
});
