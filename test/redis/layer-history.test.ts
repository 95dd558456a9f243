import { jobSpecSchema, type LayerStatistics } from '@skipring/protocol';
import {
  closeConnection,
  connectForCommands,
  DEFAULT_RETENTION,
  RunStore,
  type JobRecord,
} from '@skipring/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../support/redis.js';

const spec = jobSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'probed',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: 'glyphs' },
  training: { epochs: 1 },
  statistics: { everySteps: 1 },
});
const layers = [
  { name: 'stem/conv', kind: 'convolution', numParameters: 432 },
  { name: 'classifier', kind: 'dense', numParameters: 650 },
] as const;
const all = { fromStep: 0, limit: 2_000, points: 2_000 };

function found(step: number, gradient = step / 10): LayerStatistics {
  return {
    step,
    epoch: 0,
    gradientNorm: [gradient, null],
    weightNorm: [1, 2],
    activationMean: [-0.5, 0],
    activationVariance: [1, 1e-3],
  };
}

let redis: TestRedis;
let connection: ReturnType<typeof connectForCommands>;
let store: RunStore;
let numPrefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  connection = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
});

beforeEach(async () => {
  store = new RunStore(connection, `layers-${++numPrefixes}`, { ...DEFAULT_RETENTION, layers: 6 });
  const progress = { step: 0, totalSteps: 9, epoch: 0, totalEpochs: 1 };
  const record: JobRecord = {
    id: 'a',
    name: spec.name,
    owner: 'root',
    state: 'running',
    reason: '',
    attempt: 2,
    generation: 1,
    workers: [],
    progress: { ...progress, imagesPerSecond: 0, etaMs: null },
    lastStep: null,
    lastEvaluation: null,
    bestAccuracy: null,
    modelSha256: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    finishedAt: null,
    spec,
    attemptsBefore: 0,
    entries: 1,
  };
  const event = { type: 'state', state: 'running', reason: '', attempt: 2 } as const;
  await store.create(record, event, null);
});

afterAll(async () => {
  await closeConnection(connection);
  await redis.stop();
});

const add = (step: number, attempt = 2, gradient?: number): Promise<void> =>
  store.histories.addLayers('a', { attempt, layers, statistics: found(step, gradient) });
const stepsOf = async (query: Partial<typeof all>): Promise<number[]> =>
  (await store.histories.layers('a', { ...all, ...query })).items.map(({ step }) => step);

describe('the history of layer statistics', () => {
  it('gives back what was stored, one entry for each step', async () => {
    expect(await store.histories.layers('a', all)).toEqual({ layers: [], items: [] });
    await add(1);
    await add(2);
    await add(1, 2, 7);
    expect(await store.histories.layers('a', all)).toEqual({
      layers,
      items: [found(1, 7), found(2)],
    });
  });

  it('takes nothing from an attempt that no longer runs', async () => {
    await add(1);
    await add(2, 1);
    expect(await stepsOf({})).toEqual([1]);
  });

  it('is read from a step on, thinned at even distances with the first and the last', async () => {
    for (const step of [1, 10, 20, 30, 40, 50]) await add(step);
    expect(await stepsOf({ fromStep: 20 })).toEqual([20, 30, 40, 50]);
    expect(await stepsOf({ fromStep: 2, limit: 3 })).toEqual([10, 20, 30]);
    expect(await stepsOf({ points: 3 })).toEqual([1, 30, 50]);
    expect(await stepsOf({ points: 1 })).toEqual([50]);
  });

  it('has a limit, and expires with the other histories', async () => {
    for (const step of [1, 2, 3, 4, 5, 6, 7]) await add(step);
    expect(await stepsOf({})).toEqual([2, 3, 4, 5, 6, 7]);
    await store.change('a', { fields: { state: 'succeeded' } });
    for (const key of ['layers', 'layer-list']) {
      const ttl = await connection.pttl(`layers-${numPrefixes}:job:a:${key}`);
      expect(ttl).toBeGreaterThan(DEFAULT_RETENTION.historyMs / 2);
    }
  });
});
