import { describe, expect, it, vi } from 'vitest';
import { SimulatedJob } from './testing/simulated-job.js';
import { NUM_WORST } from './worst-samples.js';

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

async function train(spec: object, lanes: number[][]): Promise<SimulatedJob> {
  const job = new SimulatedJob(spec, { numSamples: NUM_SAMPLES });
  await job.run({ lanes });
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
    const { evaluations } = await train({ training: { epochs: 6 } }, [
      [0, 1],
      [2, 3],
    ]);
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
    const one = await train({}, [[0, 1, 2, 3]]);
    const seven = await train({ lanes: { count: 7, size: 4 } }, [
      [0],
      [1],
      [2],
      [3],
      [4],
      [5],
      [6],
    ]);
    const alone = await train({ lanes: { count: 7, size: 4 } }, [[0, 1, 2, 3, 4, 5, 6]]);
    expect(seven.evaluations).toEqual(alone.evaluations);
    expect(one.evaluations).not.toEqual(alone.evaluations);
    const worst = alone.evaluations.at(-1)?.worst ?? [];
    expect(worst).toHaveLength(NUM_WORST);
    expect(worst).toEqual(worst.toSorted((a, b) => b.loss - a.loss || a.sample - b.sample));
  });
});

describe('reports', () => {
  it('tells each step from rank 0 with the sums over all lanes, and short last steps', async () => {
    const { steps } = await train({}, [
      [0, 1],
      [2, 3],
    ]);
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

  it('divides the sum by the weight of its samples, in short steps too', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const apply = vi.spyOn(job.stateOf(1).engine, 'apply');
    await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    const weights = apply.mock.calls.map(([, { totalWeight }]) => totalWeight);
    expect(weights).toEqual([4, 4, 4, 1.25, 4, 4, 4, 1.25]);
  });

  it('forgets the state when an update fails half-way', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    vi.spyOn(job.stateOf(1).engine, 'apply').mockImplementation(() => {
      throw new Error('out of memory');
    });
    const outcomes = await job.run({
      lanes: [
        [0, 1],
        [2, 3],
      ],
    });
    expect(outcomes[1]).toMatchObject({ code: 'APPLY_FAILED', stateLost: true, fatal: false });
    expect(outcomes[0]).toMatchObject({ code: 'PEER_LOST', stateLost: false });
  });

  it('compares the replicas at the interval, at epoch ends and at checkpoints', async () => {
    const spec = { checkpoints: { everySteps: 5 } };
    const { hashes } = await train(spec, [
      [0, 1],
      [2, 3],
    ]);
    expect([...hashes.keys()]).toEqual([3, 4, 5, 6, 8]);
    expect([...hashes.values()].every((set) => set.size === 1)).toBe(true);
  });

  it('stores checkpoints every so many steps, at the best and at the end', async () => {
    const spec = { checkpoints: { everySteps: 3 }, training: { epochs: 3 } };
    const { snapshots, evaluations } = await train(spec, [
      [0, 1],
      [2, 3],
    ]);
    const best = evaluations.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    const steps = snapshots.map(({ position }) => position.step);
    expect(steps).toEqual([...new Set(steps)]);
    expect(new Set(steps)).toEqual(new Set([3, 4, 6, 9, best.step, 12]));
    expect(snapshots.at(-1)?.scores.best?.accuracy).toBe(best.accuracy);
  });

  it('ends after training.steps, in the middle of an epoch', async () => {
    const spec = { training: { steps: 6 }, evaluation: { everyEpochs: 0 } };
    const { evaluations, snapshots } = await train(spec, [
      [0, 1],
      [2, 3],
    ]);
    expect(evaluations.map(({ step, epoch }) => [step, epoch])).toEqual([[6, 1]]);
    expect(snapshots.at(-1)?.position).toEqual({ step: 6, epoch: 1, cursor: 32 });
  });
});
