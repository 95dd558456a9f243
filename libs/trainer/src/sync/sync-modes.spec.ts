import { advance, START_POSITION } from '@skipring/data';
import type { JobSpecInput } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { OPTIMIZER_PREFIX, type Engine, type TensorMap } from '../engine.js';
import { nextExponents } from '../exponents.js';
import { inspect } from '../reduced-vector.js';
import { ArithmeticEngine } from '../testing/arithmetic-engine.js';
import type { Fault } from '../testing/in-process-collective.js';
import { MemoryBatches } from '../testing/memory-batches.js';
import { NUM_CLASSES, NUM_FEATURES, SimulatedJob } from '../testing/simulated-job.js';

const NUM_SAMPLES = 53; // 3 full steps of 16 and a short one of 5 in each epoch
const NUM_STEPS = 12; // 3 epochs
const LANES = { count: 4, size: 4 };
const training = { epochs: 3 };
type Sync = NonNullable<JobSpecInput['sync']>;

const MODES: Record<string, Sync> = {
  'local SGD': { mode: 'localSgd', replicas: 4, everySteps: 3 },
  'local SGD, two replicas, slots kept': {
    mode: 'localSgd',
    replicas: 2,
    everySteps: 5,
    optimizerState: 'keep',
  },
  'post-local SGD': { mode: 'localSgd', replicas: 4, everySteps: 5, warmupSteps: 4 },
  'post-local SGD, slots kept': {
    mode: 'localSgd',
    replicas: 4,
    everySteps: 2,
    warmupSteps: 3,
    optimizerState: 'keep',
  },
  'post-local SGD, slots reset': {
    mode: 'localSgd',
    replicas: 4,
    everySteps: 3,
    warmupSteps: 2,
    optimizerState: 'reset',
  },
  DiLoCo: { mode: 'diloco', replicas: 4, everySteps: 4 },
  'DiLoCo, slots averaged': {
    mode: 'diloco',
    replicas: 2,
    everySteps: 7,
    optimizerState: 'average',
    outerLearningRate: 0.5,
    outerMomentum: 0.8,
  },
};
const modes = Object.entries(MODES);

const MEMBERSHIPS = [
  [
    [0, 1],
    [2, 3],
  ],
  [
    [2, 3],
    [0, 1],
  ],
];
const FOUR_REPLICAS = [
  [[0], [1, 2], [3]],
  [[3], [1], [2], [0]],
];

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

describe.each(modes)('%s', (_, sync) => {
  const memberships =
    'replicas' in sync && sync.replicas === 4 ? [...MEMBERSHIPS, ...FOUR_REPLICAS] : MEMBERSHIPS;

  it.each(memberships.map((lanes) => ({ lanes })))('has the same bits on $lanes', async (given) => {
    const one = await train(sync);
    const many = await train(sync, given.lanes);
    expect(many.snapshots).toEqual(one.snapshots);
    expect(many.evaluations).toEqual(one.evaluations);
    const metrics = (job: SimulatedJob) =>
      job.steps.flatMap((report) => (report.metrics ? [{ ...report.metrics, stepMs: 0 }] : []));
    expect(metrics(many)).toEqual(metrics(one));
    expect(metrics(many).map(({ step }) => step)).toEqual(
      Array.from({ length: NUM_STEPS }, (_, index) => index + 1),
    );
  });

  it('has the same bits where sums of lanes leave the engine', async () => {
    const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES, numBuckets: 2 });
    await finish(job, [[0, 1, 2, 3]]);
    expect(job.snapshots).toEqual((await train(sync)).snapshots);
  });

  it('is what a plain reference finds', async () => {
    const { snapshots } = await train(sync);
    const expected = await reference(sync);
    const { tensors } = snapshots.at(-1)!;
    for (const [name, { values }] of expected) {
      const found = tensors.get(name)!.values;
      const limit = 1e-6 * Math.max(...values.map(Math.abs));
      values.forEach((value, i) => {
        expect(Math.abs(found[i]! - value), `${name}[${i}]`).toBeLessThanOrEqual(limit);
      });
    }
  });

  it('goes on with the same bits after any operation failed, on other ranks', async () => {
    const expected = await train(sync);
    let numOperations = 0;
    const count = (): Fault | null => (numOperations++, null);
    const lanes = [
      [0, 1],
      [2, 3],
    ];
    await new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES }).run({
      lanes,
      faults: count,
    });
    for (let at = 0; at < numOperations - 1; at++) {
      for (const deliveredTo of [[], [1]]) {
        const job = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES });
        const faults = (operation: number): Fault | null =>
          operation === at ? { deliveredTo } : null;
        await job.run({ lanes, faults });
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
    await finish(job, [
      [0, 1],
      [2, 3],
    ]);
    expect(job.snapshots.at(-1)).toEqual(expected.snapshots.at(-1));
  });
});

it('hands out snapshots that their owner may do away with', () => {
  const sync: Sync = { mode: 'diloco', replicas: 2 };
  const state = new SimulatedJob({ sync, training }, { numSamples: NUM_SAMPLES }).stateOf(0);
  const hash = state.hash();
  const buffers = [...state.snapshot().tensors.values()].map(({ values }) => values.buffer);
  structuredClone(null, { transfer: buffers as ArrayBuffer[] });
  expect(state.hash()).toBe(hash);
});

describe('periods', () => {
  it('evaluate and store when they are over, once for each epoch that ended', async () => {
    const { evaluations, snapshots } = await train({
      mode: 'localSgd',
      replicas: 2,
      everySteps: 5,
    });
    // Epochs end with steps 4, 8 and 12, periods with steps 5, 10 and 12.
    expect(evaluations.map(({ step, epoch }) => [step, epoch])).toEqual([
      [5, 0],
      [10, 1],
      [12, 2],
    ]);
    expect(snapshots.at(-1)?.position).toEqual({ step: 12, epoch: 3, cursor: 0 });
  });

  it('leave the state at their beginning when training stops within one', async () => {
    const controller = new AbortController();
    const job = new SimulatedJob(
      { sync: { mode: 'localSgd', replicas: 2, everySteps: 4 }, training },
      {
        numSamples: NUM_SAMPLES,
        onSample: (epoch, stepInEpoch) => {
          if (epoch === 1 && stepInEpoch === 2) controller.abort();
        },
      },
    );
    const [outcome] = await job.run({ lanes: [[0, 1, 2, 3]], signal: controller.signal });
    expect(outcome).toEqual({ kind: 'stopped', position: { step: 4, epoch: 1, cursor: 0 } });
    const undisturbed = await train({ mode: 'localSgd', replicas: 2, everySteps: 4 });
    const hash = job.stateOf(0).hash();
    expect(undisturbed.hashes.get(4)).toEqual(new Set([hash]));
  });

  it('refuse lanes that tear a replica apart', async () => {
    const job = new SimulatedJob(
      { sync: { mode: 'localSgd', replicas: 2 }, training },
      { numSamples: NUM_SAMPLES },
    );
    const outcomes = await job.run({ lanes: [[0], [1, 2, 3]] });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['aborted', 'aborted']);
  });
});

/** Local training written down once more: replicas in turn, means and outer steps in float64. */
async function reference(sync: Sync): Promise<Map<string, { values: number[] }>> {
  if (!('replicas' in sync)) throw new Error('expected replicas');
  const { replicas, everySteps = 1, warmupSteps = 0 } = sync;
  const slots = sync.optimizerState ?? (sync.mode === 'diloco' ? 'keep' : 'average');
  const keepsSlots = slots === 'keep';
  const lanesEach = LANES.count / replicas;
  const shared = engine();
  const own = new Map<number, TensorMap>();
  const outer = new Map<string, number[]>();
  let exponents = new Int32Array(shared.layout.slots.length).fill(24);
  let position = START_POSITION;
  while (position.step < NUM_STEPS) {
    const isWarm = position.step < warmupSteps;
    const length = isWarm ? 1 : Math.min(everySteps, NUM_STEPS - position.step);
    const groups = isWarm
      ? [[0, 1, 2, 3]]
      : Array.from({ length: replicas }, (_, r) =>
          Array.from({ length: lanesEach }, (_, i) => r * lanesEach + i),
        );
    const before = shared.readState();
    const ends: TensorMap[] = [];
    const endExponents: Int32Array[] = [];
    let end = position;
    for (const [replica, lanes] of groups.entries()) {
      const local = engine();
      const start = new Map(before);
      for (const [name, tensor] of own.get(replica) ?? []) {
        if (keepsSlots && name.startsWith(OPTIMIZER_PREFIX)) start.set(name, tensor);
      }
      local.writeState(start);
      let e = exponents;
      end = position;
      for (let s = 0; s < length; s++) {
        e = await step(local, end, lanes, e);
        end = advance(end, NUM_SAMPLES, LANES);
      }
      ends.push(local.readState());
      endExponents.push(e);
      if (!isWarm) own.set(replica, local.readState());
    }
    exponents = exponents.map((_, slot) => Math.min(...endExponents.map((e) => e[slot]!)));
    const next = new Map(before);
    for (const [name, { shape, values }] of before) {
      if (name.startsWith(OPTIMIZER_PREFIX) && keepsSlots && !isWarm) continue;
      if (name.startsWith(OPTIMIZER_PREFIX) && slots === 'reset' && !isWarm) {
        next.set(name, { shape, values: new Float32Array(values.length) });
        continue;
      }
      const change = Array.from(values, (x, i) =>
        ends.reduce((sum, state) => sum + (x - state.get(name)!.values[i]!) / ends.length, 0),
      );
      const isOuter = sync.mode === 'diloco' && !isWarm && name.startsWith('dense/');
      if (!isOuter) {
        next.set(name, { shape, values: values.map((x, i) => x - change[i]!) });
        continue;
      }
      const { outerLearningRate: lr = 0.7, outerMomentum: mu = 0.9 } = sync;
      const v = change.map((d, i) => mu * (outer.get(name)?.[i] ?? 0) + d);
      outer.set(name, v);
      next.set(name, { shape, values: values.map((x, i) => x - lr * (change[i]! + mu * v[i]!)) });
    }
    shared.writeState(next);
    position = end;
  }
  return new Map(
    [...shared.readState()]
      .filter(([name]) => !name.startsWith(OPTIMIZER_PREFIX))
      .map(([name, { values }]) => [name, { values: [...values] }]),
  );
}

function engine(): ArithmeticEngine {
  const shape = { numFeatures: NUM_FEATURES, numClasses: NUM_CLASSES, laneSize: LANES.size };
  return new ArithmeticEngine({ ...shape, seed: 1 });
}

/** One local step; returns the exponents of the next. */
async function step(
  local: Engine,
  position: { step: number; epoch: number; cursor: number },
  lanes: readonly number[],
  exponents: Int32Array,
): Promise<Int32Array<ArrayBuffer>> {
  const batches = new MemoryBatches({
    numSamples: NUM_SAMPLES,
    numEvaluationSamples: 50,
    numFeatures: NUM_FEATURES,
    numClasses: NUM_CLASSES,
    lanes: LANES,
  });
  batches.seek({ epoch: position.epoch, stepInEpoch: position.cursor / 16 }, lanes);
  const sum = new Int32Array(local.layout.length);
  let samples = 0;
  for (const lane of lanes) {
    const batch = await batches.next(lane);
    if (batch.samples === 0) continue;
    samples += batch.samples;
    local
      .forwardBackward(batch, exponents, LANES.count, 0)
      .forEach((value, i) => (sum[i] = sum[i]! + value));
  }
  if (samples === 0) return exponents.slice();
  const learningRate = 0.1 / (1 + position.step);
  const totalWeight = samples / LANES.size;
  local.apply(sum, { learningRate, step: position.step + 1, totalWeight, exponents });
  return nextExponents(exponents, inspect(sum, local.layout).maxima, LANES.count).slice();
}
