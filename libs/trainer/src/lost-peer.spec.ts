import { describe, expect, it } from 'vitest';
import type { Fault } from './testing/in-process-collective.js';
import { SimulatedJob } from './testing/simulated-job.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch

async function train(spec: object, lanes: number[][]): Promise<SimulatedJob> {
  const job = new SimulatedJob(spec, { numSamples: NUM_SAMPLES });
  await job.run({ lanes });
  return job;
}

describe('a lost peer', () => {
  const whole = { lanes: [[0, 1, 2, 3]] };
  const three = { lanes: [[1], [0, 3], [2]] };

  // 8 steps of two operations, 2 evaluations of two, 4 comparisons, and the final broadcast.
  const operations = Array.from({ length: 25 }, (_, operation) => operation);
  const failing =
    (at: number, deliveredTo: number[] = []) =>
    (operation: number): Fault | null =>
      operation === at ? { deliveredTo } : null;

  it.each(operations)('operation %i fails on all ranks: the same bits after', async (at) => {
    const expected = await train({}, whole.lanes);
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

  // 8 steps of two more operations each: a second bucket, and metrics with flags.
  it.each([...operations, ...operations.slice(0, 16).map((operation) => 25 + operation)])(
    'operation %i fails, with buckets on the ring while the rest is computed: the same bits',
    async (at) => {
      const expected = await train({}, whole.lanes);
      const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES, numBuckets: 2 });
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
    },
  );

  it.each(['exact', 'float32', 'bfloat16'] as const)(
    'buckets begin early or late: the same bits, %s',
    async (reduction) => {
      const [early, late] = await Promise.all(
        [true, false].map(async (overlaps) => {
          const job = new SimulatedJob(
            { reduction },
            { numSamples: NUM_SAMPLES, numBuckets: 2, overlaps },
          );
          const outcomes = await job.run(three);
          expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished']);
          return job.snapshots.at(-1);
        }),
      );
      expect(early).toEqual(late);
    },
  );

  it.each(operations)('operation %i reaches rank 1 alone: the same bits after', async (at) => {
    const expected = await train({}, whole.lanes);
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

  it('does not matter once all ranks know the final hash', async () => {
    const job = new SimulatedJob({}, { numSamples: NUM_SAMPLES });
    const outcomes = await job.run({ ...three, faults: failing(operations.length) });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished']);
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
    const reference = await train({ training: { steps: 2 } }, whole.lanes);
    expect(job.stateOf(0).hash()).toBe(reference.stateOf(0).hash());
  });
});

describe('resume', () => {
  it.each([3, 4, 6])('from a checkpoint of step %i gives the same bits', async (step) => {
    const spec = { checkpoints: { everySteps: 3 } };
    const first = await train(spec, [
      [0, 1],
      [2, 3],
    ]);
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
    const expected = await train({}, [[0, 1, 2, 3]]);
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });
});
