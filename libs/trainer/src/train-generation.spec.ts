import { describe, expect, it } from 'vitest';
import { SimulatedJob } from './testing/simulated-job.js';
import type { SimulatedGeneration } from './testing/simulated-job.js';
import type { Fault } from './testing/in-process-collective.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch
const MEMBERSHIPS: Record<string, number[][]> = {
  'one rank': [[0, 1, 2, 3]],
  'two ranks': [
    [0, 1],
    [2, 3],
  ],
  'two ranks, uneven': [[3], [2, 0, 1]],
  'three ranks': [[1], [0, 3], [2]],
  'four ranks': [[2], [3], [1], [0]],
};

async function train(spec: object, ...generations: SimulatedGeneration[]): Promise<SimulatedJob> {
  const job = new SimulatedJob(spec, { numSamples: NUM_SAMPLES });
  for (const generation of generations) await job.run(generation);
  return job;
}

async function modelHash(lanes: number[][], spec: object = {}): Promise<string> {
  const job = new SimulatedJob(spec, { numSamples: NUM_SAMPLES });
  const outcomes = await job.run({ lanes });
  const hashes = outcomes.map((outcome) => {
    if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome));
    return outcome.modelSha256;
  });
  expect(new Set(hashes).size).toBe(1);
  return hashes[0]!;
}

describe('the result is a function of the job spec', () => {
  it.each(Object.entries(MEMBERSHIPS))('%s: the same model', async (_, lanes) => {
    expect(await modelHash(lanes)).toBe(await modelHash([[0, 1, 2, 3]]));
  });

  it('depends on the seed', async () => {
    const lanes = [[0, 1, 2, 3]];
    expect(await modelHash(lanes, { seed: 2 })).not.toBe(await modelHash(lanes, { seed: 1 }));
  });

  it('gives the same bits again in float32 on the same ranks, and other bits than exact', async () => {
    const lanes = [
      [0, 1],
      [2, 3],
    ];
    const hash = await modelHash(lanes, { reduction: 'float32' });
    expect(hash).toBe(await modelHash(lanes, { reduction: 'float32' }));
    expect(hash).not.toBe(await modelHash(lanes));
  });

  it('learns', async () => {
    const { evaluations } = await train(
      { training: { epochs: 6 } },
      {
        lanes: [
          [0, 1],
          [2, 3],
        ],
      },
    );
    expect(evaluations.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(evaluations.at(-1)?.accuracy).toBeGreaterThan(0.8);
    expect(evaluations.at(-1)?.samples).toBe(50);
    expect(
      evaluations
        .at(-1)
        ?.confusion.flat()
        .reduce((a, b) => a + b),
    ).toBe(50);
  });

  it('finds the same evaluations on any number of ranks, also on more than there are batches', async () => {
    const one = await train({}, { lanes: [[0, 1, 2, 3]] });
    const seven = await train(
      { lanes: { count: 7, size: 4 } },
      { lanes: [[0], [1], [2], [3], [4], [5], [6]] },
    );
    const alone = await train({ lanes: { count: 7, size: 4 } }, { lanes: [[0, 1, 2, 3, 4, 5, 6]] });
    expect(seven.evaluations).toEqual(alone.evaluations);
    expect(one.evaluations).not.toEqual(alone.evaluations);
  });
});

describe('reports', () => {
  it('tells each step from rank 0 with the sums over all lanes, and short last steps', async () => {
    const { steps } = await train(
      {},
      {
        lanes: [
          [0, 1],
          [2, 3],
        ],
      },
    );
    const rank0 = steps.flatMap(({ metrics }) => metrics ?? []);
    expect(rank0.map(({ step, epoch, cursor, samples }) => [step, epoch, cursor, samples])).toEqual(
      [
        [1, 0, 16, 16],
        [2, 0, 32, 16],
        [3, 0, 48, 16],
        [4, 0, 53, 5],
        [5, 1, 16, 16],
        [6, 1, 32, 16],
        [7, 1, 48, 16],
        [8, 1, 53, 5],
      ],
    );
    expect(rank0[0]?.loss).toBeCloseTo(Math.log(3), 1);
    expect(rank0.map(({ learningRate }) => learningRate)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => 0.1 / n),
    );
    const samples = steps.reduce((sum, report) => sum + report.samples, 0);
    expect(samples).toBe(2 * NUM_SAMPLES);
  });

  it('compares the replicas at the interval, at epoch ends and at checkpoints', async () => {
    const spec = { checkpoints: { everySteps: 5 } };
    const { hashes } = await train(spec, {
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    expect([...hashes.keys()]).toEqual([3, 4, 5, 6, 8]);
    expect([...hashes.values()].every((set) => set.size === 1)).toBe(true);
  });

  it('stores checkpoints every so many steps, at the best and at the end', async () => {
    const spec = { checkpoints: { everySteps: 3 }, training: { epochs: 3 } };
    const { snapshots, evaluations } = await train(spec, {
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    const best = evaluations.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    const steps = snapshots.map(({ position }) => position.step);
    expect(steps).toEqual([...new Set(steps)]);
    expect(new Set(steps)).toEqual(new Set([3, 4, 6, 9, best.step, 12]));
    expect(snapshots.at(-1)?.scores.best?.accuracy).toBe(best.accuracy);
  });

  it('ends after training.steps, in the middle of an epoch', async () => {
    const spec = { training: { steps: 6 }, evaluation: { everyEpochs: 0 } };
    const { evaluations, snapshots } = await train(spec, {
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    expect(evaluations.map(({ step, epoch }) => [step, epoch])).toEqual([[6, 1]]);
    expect(snapshots.at(-1)?.position).toEqual({ step: 6, epoch: 1, cursor: 32 });
  });
});

describe('a lost peer', () => {
  const whole = { lanes: [[0, 1, 2, 3]] };
  const three = { lanes: [[1], [0, 3], [2]] };

  // 8 steps of two operations, 2 evaluations, 4 comparisons, and the final broadcast.
  const operations = Array.from({ length: 23 }, (_, operation) => operation);
  const failing =
    (at: number, deliveredTo: number[] = []) =>
    (operation: number): Fault | null =>
      operation === at ? { deliveredTo } : null;

  it.each(operations)('operation %i fails on all ranks: the same bits after', async (at) => {
    const expected = await train({}, whole);
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ ...three, faults: failing(at) });
    for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 'PEER_LOST' });
    job.lose(2);
    const [outcome] = await job.run({
      lanes: [
        [3, 2],
        [1, 0],
      ],
    });
    expect(outcome?.kind).toBe('finished');
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });

  it.each(operations)('operation %i reaches rank 1 alone: the same bits after', async (at) => {
    const expected = await train({}, whole);
    for (const survivors of [
      [0, 1],
      [0, 2],
      [1, 3],
    ]) {
      const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
      await job.run({ ...three, faults: failing(at, [1]) });
      const steps = [0, 1, 2].map((worker) => job.stateOf(worker).position.step);
      expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
      const outcomes = await job.run({
        lanes: [
          [0, 1],
          [2, 3],
        ],
        workers: survivors,
      });
      expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished']);
      expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
    }
  });

  it('uses every sample of an epoch exactly once in committed steps', async () => {
    const used: { epoch: number; step: number; sample: number }[] = [];
    const job = new SimulatedJob(
      {},
      {
        numSamples: NUM_SAMPLES,
        onSample: (epoch, step, sample) => used.push({ epoch, step, sample }),
      },
    );
    await job.run({ ...three, faults: failing(7) });
    const { step } = job.stateOf(0).position;
    expect(step).toBe(3);
    // What the failed step handed out was never applied: only earlier steps count.
    const committed = used.splice(0).filter((use) => use.step < step);
    await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    committed.push(...used);
    for (const epoch of [0, 1]) {
      const samples = committed.filter((use) => use.epoch === epoch).map(({ sample }) => sample);
      expect(samples.sort((a, b) => a - b)).toEqual([...Array(NUM_SAMPLES).keys()]);
    }
  });

  it('leaves the state of the last committed step', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ ...three, faults: failing(4) });
    expect(outcomes[0]).toMatchObject({
      kind: 'aborted',
      fatal: false,
      stateLost: false,
      position: { step: 2, epoch: 0, cursor: 32 },
    });
    const reference = await train({ training: { steps: 2 } }, whole);
    expect(job.stateOf(0).hash()).toBe(reference.stateOf(0).hash());
  });
});

describe('resume', () => {
  it.each([3, 4, 6])('from a checkpoint of step %i gives the same bits', async (step) => {
    const spec = { checkpoints: { everySteps: 3 } };
    const first = await train(spec, {
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    const snapshot = first.snapshots.find(({ position }) => position.step === step)!;
    const job = new SimulatedJob(spec, { numSamples: NUM_SAMPLES });
    job.stateOf(0).restore(snapshot);
    await job.run({ lanes: [[3], [2], [0, 1]] });
    expect(job.snapshots.at(-1)).toEqual(first.snapshots.at(-1));
  });

  it('stops on its signal at a committed step, and goes on', async () => {
    const stop = new AbortController();
    let numSamples = 0;
    const job = new SimulatedJob(
      {},
      {
        numSamples: NUM_SAMPLES,
        onSample: () => {
          if (++numSamples === 40) stop.abort();
        },
      },
    );
    const [stopped] = await job.run({ lanes: [[0, 1, 2, 3]], signal: stop.signal });
    expect(stopped).toEqual({ kind: 'stopped', position: { step: 3, epoch: 0, cursor: 48 } });
    await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    const expected = await train({}, { lanes: [[0, 1, 2, 3]] });
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });
});

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
    const expected = await train({}, { lanes: [[0, 1, 2, 3]] });
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });

  it('refuses a step whose lanes do not cover its samples', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ lanes: [[0, 1], [3]] });
    expect(outcomes[0]).toMatchObject({ code: 'SAMPLES_MISMATCH', fatal: true });
  });
});
