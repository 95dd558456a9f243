import type { JobSpecInput } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../testing/in-process-collective.js';
import { SimulatedJob } from '../testing/simulated-job.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch
const NUM_STEPS = 12; // 3 epochs
const training = { epochs: 3 };
type Sync = NonNullable<JobSpecInput['sync']>;

// The simulated model's kernel has shape [5, 3]: only matrices of rank 1 are smaller.
const KINDS: Record<string, Sync> = {
  PowerSGD: {
    mode: 'allReduce',
    compression: { kind: 'powerSgd', matrixRank: 1, fullEverySteps: 5 },
  },
  'PowerSGD after a warm-up': {
    mode: 'allReduce',
    compression: { kind: 'powerSgd', matrixRank: 1, fullEverySteps: 3, warmupSteps: 4 },
  },
  'top-k': { mode: 'allReduce', compression: { kind: 'topK', fraction: 0.1, fullEverySteps: 5 } },
};
const UNCOMPRESSED: Sync = { mode: 'allReduce' };

async function finish(job: SimulatedJob, lanes: number[][]): Promise<void> {
  for (const outcome of await job.run({ lanes })) {
    if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome));
  }
}

async function train(sync: Sync, lanes = [[0, 1, 2, 3]]): Promise<SimulatedJob> {
  const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES });
  await finish(job, lanes);
  return job;
}

const TWO_RANKS = [
  [0, 1],
  [2, 3],
];

describe.each(Object.entries(KINDS))('%s', (_, sync) => {
  it.each([{ lanes: TWO_RANKS }, { lanes: [[2, 3], [1], [0]] }, { lanes: [[3], [1], [2], [0]] }])(
    'has the same bits on $lanes',
    async ({ lanes }) => {
      const one = await train(sync);
      const many = await train(sync, lanes);
      expect(many.snapshots).toEqual(one.snapshots);
      expect(many.evaluations).toEqual(one.evaluations);
      const metrics = (job: SimulatedJob) =>
        job.steps.flatMap((report) => (report.metrics ? [{ ...report.metrics, stepMs: 0 }] : []));
      expect(metrics(many)).toEqual(metrics(one));
      expect(metrics(many).map(({ step }) => step)).toEqual(
        Array.from({ length: NUM_STEPS }, (__, index) => index + 1),
      );
    },
  );

  it('goes on with the same bits after any operation failed, on other ranks', async () => {
    const expected = await train(sync);
    let numOperations = 0;
    const count = (): Fault | null => (numOperations++, null);
    await new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES }).run({
      lanes: TWO_RANKS,
      faults: count,
    });
    for (let at = 0; at < numOperations - 1; at++) {
      for (const deliveredTo of [[], [1]]) {
        const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES });
        const faults = (operation: number): Fault | null =>
          operation === at ? { deliveredTo } : null;
        await job.run({ lanes: TWO_RANKS, faults });
        job.lose(0);
        await finish(job, [[0, 1, 2, 3]]);
        expect(job.snapshots.at(-1), `operation ${at}`).toEqual(expected.snapshots.at(-1));
      }
    }
  });

  it('goes on from a stored snapshot with the same bits', async () => {
    const expected = await train(sync);
    const stored = expected.snapshots[0]!;
    expect(stored.position.step).toBeLessThan(NUM_STEPS);
    const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES });
    job.stateOf(0).restore(stored);
    await finish(job, TWO_RANKS);
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });

  it('trains to about the same model as without compression, and not to the same', async () => {
    const plain = await train(UNCOMPRESSED);
    const compressed = await train(sync);
    const [expected, found] = [plain, compressed].map(
      (job) => job.snapshots.at(-1)!.tensors.get('dense/kernel')!.values,
    );
    const difference = Math.hypot(...expected!.map((value, i) => value - found![i]!));
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.2 * Math.hypot(...expected!));
    const accuracy = (job: SimulatedJob) => job.evaluations.at(-1)!.accuracy;
    expect(accuracy(compressed)).toBeGreaterThan(accuracy(plain) - 0.1);
  });

  it('repeats a step whose gradient overflows, with the same bits on any ranks', async () => {
    const alter = (batch: { images: Float32Array }, epoch: number, step: number): void => {
      if (epoch === 1 && step === 1) batch.images.forEach((x, i, all) => (all[i] = x * 4096));
    };
    const disturbed = async (lanes: number[][]): Promise<SimulatedJob> => {
      const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES, alter });
      await finish(job, lanes);
      return job;
    };
    const one = await disturbed([[0, 1, 2, 3]]);
    expect(one.steps.some(({ numRepeats }) => numRepeats > 0)).toBe(true);
    const two = await disturbed(TWO_RANKS);
    expect(two.snapshots.at(-1)).toEqual(one.snapshots.at(-1));
  });

  it('fails with a name when a gradient is not finite', async () => {
    const job = new SimulatedJob(
      { sync, training },
      {
        numSamples: NUM_SAMPLES,
        alter: (batch, epoch, step) => {
          if (epoch === 1 && step === 2) batch.images.fill(NaN);
        },
      },
    );
    const outcomes = await job.run({ lanes: TWO_RANKS });
    expect(outcomes.map((outcome) => (outcome.kind === 'aborted' ? outcome.code : ''))).toContain(
      'NON_FINITE_GRADIENT',
    );
  });
});
