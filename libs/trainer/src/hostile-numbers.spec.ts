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
    const job = altered((images) => (images[3] = NaN), {
      training: { epochs: 1, nonFiniteLimit: 0 },
    });
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

describe('a step that is not finite', () => {
  /** Lane 2 has `value` in each of the given steps of the first epoch, on lanes of `ranks`. */
  const withBadSteps = (steps: readonly number[], spec: object = {}, value = NaN): SimulatedJob =>
    new SimulatedJob(spec, {
      numSamples: NUM_SAMPLES,
      alter: ({ images }, epoch, step, lane) => {
        if (epoch === 0 && steps.includes(step) && lane === 2) images[3] = value;
      },
    });
  const skippedOf = (job: SimulatedJob) =>
    job.steps.flatMap(({ metrics }) => (metrics?.skipped ? [metrics] : []));

  it.each([NaN, Infinity, -Infinity])(
    'with %d is skipped: its samples are used, and nothing else changes',
    async (value) => {
      const job = withBadSteps([1], { training: { steps: 2 } }, value);
      const clean = new SimulatedJob({ training: { steps: 1 } }, { numSamples: NUM_SAMPLES });
      for (const run of [job, clean]) await run.run({ lanes: [[0, 1, 2, 3]] });
      const [after, before] = [job.stateOf(0), clean.stateOf(0)];
      expect(after.position).toEqual({ step: 2, epoch: 0, cursor: 32 });
      expect(after.exponents).toEqual(before.exponents);
      expect(after.engine.readState()).toEqual(before.engine.readState());
      expect(after.numSkipped).toBe(1);
      const [metrics] = skippedOf(job);
      expect(metrics).toMatchObject({ step: 2, skipped: { lanes: [2], numSkipped: 1 } });
      expect(metrics!.skipped!.tensors[0]).toMatch(/^dense\/kernel/);
      expect(Number.isFinite(metrics!.loss)).toBe(true);
    },
  );

  it('leaves the same bits on any cluster, also when one of its workers is new', async () => {
    const one = withBadSteps([1, 2]);
    await one.run({ lanes: [[0, 1, 2, 3]] });
    const three = withBadSteps([1, 2]);
    await three.run({ lanes: [[1], [0, 3], [2]] });
    expect(three.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
    expect(skippedOf(three).map(({ step }) => step)).toEqual([2, 3]);
    await three.run({ lanes: [[0, 1], [2, 3]], workers: [0, 7] }); // prettier-ignore
    expect(three.stateOf(7).numSkipped).toBe(2);
  });

  it('fails the job when as many were skipped as may be, wherever that is counted', async () => {
    const spec = { training: { epochs: 1, nonFiniteLimit: 2 } };
    const job = withBadSteps([0, 1, 2], spec);
    const outcomes = await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'aborted', code: 'NON_FINITE_GRADIENT', fatal: true });
      expect(outcome.position.step).toBe(2);
      expect(outcome.kind === 'aborted' && outcome.error.message).toMatch(
        /^step 3, lane 2: NaN or infinity in dense\/kernel.* after 2 skipped steps/,
      );
    }
    // Another attempt goes on from the count that the state holds.
    const [again] = await job.run({ lanes: [[0, 1, 2, 3]] });
    expect(again).toMatchObject({ kind: 'aborted', position: { step: 2 } });
  });

  it('is counted in a checkpoint, and a checkpoint without a count has none', async () => {
    const job = withBadSteps([1]);
    await job.run({ lanes: [[0, 1, 2, 3]] });
    const snapshot = job.snapshots.at(-1)!;
    const state = job.stateOf(5);
    state.restore(snapshot);
    expect(state.numSkipped).toBe(1);
    const older = new Map(snapshot.tensors);
    older.delete('optimizer/skippedSteps');
    state.restore({ ...snapshot, tensors: older });
    expect(state.numSkipped).toBe(0);
  });
});

describe('gradients of unusual magnitude', () => {
  /** All lanes' images times `factor` from step 1 on. */
  const scaled = (factor: number): SimulatedJob =>
    new SimulatedJob(
      { training: { steps: 3 } },
      {
        numSamples: NUM_SAMPLES,
        alter: ({ images }, _epoch, step) => {
          if (step >= 1) images.forEach((value, index) => (images[index] = value * factor));
        },
      },
    );

  it('that grow by 2^20 are taken, with the step repeated, to the same bits on any cluster', async () => {
    const one = scaled(2 ** 20);
    await one.run({ lanes: [[0, 1, 2, 3]] });
    const two = scaled(2 ** 20);
    const outcomes = await two.run({ lanes: [[3], [0, 1, 2]] });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished']);
    expect(Math.max(...two.steps.map(({ numRepeats }) => numRepeats))).toBeGreaterThanOrEqual(2);
    expect(two.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
  });

  it.each([0, 2 ** -140])('times %d are taken too', async (factor) => {
    const one = scaled(factor);
    const outcomes = await one.run({ lanes: [[0, 1, 2, 3]] });
    expect(outcomes[0]!.kind).toBe('finished');
    const two = scaled(factor);
    await two.run({ lanes: [[3], [0, 1, 2]] });
    expect(two.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
    // A bit a step, in case what is small was rounded away.
    const [kernel] = one.stateOf(0).exponents;
    const before = scaled(1);
    await before.run({ lanes: [[0, 1, 2, 3]] });
    expect(kernel).toBeGreaterThan(before.stateOf(0).exponents[0]! - 1);
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
      busyMs: 0,
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
