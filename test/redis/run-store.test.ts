import {
  jobSpecSchema,
  jobSummarySchema,
  type JobState,
  type LedgerEpoch,
} from '@skipring/protocol';
import {
  closeConnection,
  connectForCommands,
  DataSetStore,
  DEFAULT_RETENTION,
  RunStore,
  StoreError,
  type DataSetRecord,
  type JobRecord,
} from '@skipring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../support/redis.js';

let redis: TestRedis;
let connection: ReturnType<typeof connectForCommands>;
let numPrefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  connection = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
});

afterAll(async () => {
  await closeConnection(connection);
  await redis.stop();
});

const newPrefix = (): string => `test-${++numPrefixes}`;
const newStore = (retention = DEFAULT_RETENTION): RunStore =>
  new RunStore(connection, newPrefix(), retention);

const spec = jobSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'small',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: 'glyphs' },
  training: { epochs: 1 },
});

function record(id: string, state: JobState = 'pending'): JobRecord {
  return {
    id,
    name: spec.name,
    owner: 'root',
    state,
    reason: 'submitted',
    attempt: 0,
    generation: 0,
    workers: [],
    progress: {
      step: 0,
      totalSteps: 10,
      epoch: 0,
      totalEpochs: 1,
      imagesPerSecond: 0,
      etaMs: null,
    },
    lastStep: null,
    lastEvaluation: null,
    bestAccuracy: null,
    modelSha256: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    spec,
    attemptsBefore: 0,
    entries: 1,
  };
}

const submitted = { type: 'state', state: 'pending', reason: 'submitted', attempt: 0 } as const;
const stepMetrics = (step: number) => ({
  step,
  epoch: 0,
  cursor: step * 4,
  loss: 1 / step,
  accuracy: 0.5,
  learningRate: 0.1,
  samples: 4,
  stepMs: 10,
});

describe('run store', () => {
  it('gives back what was stored', async () => {
    const store = newStore();
    const stored = record('a');
    expect(await store.create(stored, submitted, null)).toEqual({ id: 'a', created: true });
    expect(await store.get('a')).toEqual(stored);
    expect(await store.get('b')).toBeNull();
  });

  it('makes one job of many submissions with one idempotency key', async () => {
    const store = newStore();
    const key = { keyHash: 'k', requestHash: 'r' };
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id) => store.create(record(id), submitted, key)),
    );
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ id }) => id)).size).toBe(1);
    expect((await store.index.list({ limit: 10 })).items).toHaveLength(1);
    await expect(
      store.create(record('e'), submitted, { keyHash: 'k', requestHash: 'other' }),
    ).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('gives summaries as they are stored, in one piece for many jobs', async () => {
    const store = newStore();
    const ids = Array.from(
      { length: 2_500 },
      (_, index) => `job-${String(index).padStart(4, '0')}`,
    );
    await Promise.all(ids.map((id) => store.create(record(id), submitted, null)));
    const all = await store.index.summaries({ limit: 10_000 });
    expect(all.items.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(all).toMatchObject({ nextCursor: null, total: ids.length });
    const [newest] = all.items;
    expect(JSON.parse(newest?.json ?? '')).toEqual(
      jobSummarySchema.strip().parse(record('job-2499')),
    );
    const page = await store.index.summaries({ state: 'pending', limit: 2, cursor: 'job-0003' });
    expect(page.items.map(({ id }) => id)).toEqual(['job-0002', 'job-0001']);
    expect(page).toMatchObject({ nextCursor: 'job-0001', total: ids.length });
    expect(await store.index.summaries({ state: 'failed', limit: 5 })).toMatchObject({ items: [] });

    const progress = { ...record('a').progress, step: 3 };
    await store.change('job-2499', { fields: { progress, reason: 'it "goes"\non' } });
    // As of a store from before there were summaries.
    await connection.hdel(`test-${numPrefixes}:summaries`, 'job-2498');
    const [changed, older] = (await store.index.summaries({ limit: 2 })).items;
    expect(JSON.parse(changed?.json ?? '')).toMatchObject({ progress, reason: 'it "goes"\non' });
    expect(JSON.parse(older?.json ?? '')).toMatchObject({ id: 'job-2498', owner: 'root' });
  });

  it('changes a job, its event and its lists as one, and only under the guard', async () => {
    const store = newStore();
    await store.create(record('a'), submitted, null);
    const running = { type: 'state', state: 'running', reason: 'ready', attempt: 1 } as const;
    const done = await store.change('a', {
      from: ['pending', 'waiting'],
      fields: { state: 'running', attempt: 1 },
      event: running,
    });
    expect(done).toMatchObject({ outcome: 'done', event: { jobId: 'a', state: 'running' } });
    expect(await store.get('a')).toMatchObject({ state: 'running', attempt: 1 });
    expect(await store.index.idsIn('pending')).toEqual([]);
    expect(await store.index.idsIn('running')).toEqual(['a']);
    expect(await store.index.countByState()).toMatchObject({ pending: 0, running: 1 });

    expect(await store.change('a', { from: ['pending'], fields: { state: 'failed' } })).toEqual({
      outcome: 'refused',
      state: 'running',
    });
    expect(await store.change('a', { attempt: 2, step: stepMetrics(1) })).toMatchObject({
      outcome: 'refused',
    });
    expect(await store.change('b', { fields: { state: 'failed' } })).toEqual({
      outcome: 'missing',
    });
    expect(await store.get('a')).toMatchObject({ state: 'running' });
    expect(await store.histories.steps('a', 0, 10)).toEqual([]);
    expect(await store.events.of('a', null, 10)).toHaveLength(2);
  });

  it('does a change once that is tried again, and none that a newer one has overtaken', async () => {
    const prefix = newPrefix();
    const [first, next] = [1, 2].map(
      (leader) => new RunStore(connection, prefix, DEFAULT_RETENTION, leader),
    ) as [RunStore, RunStore];
    const leads = (number: number): Promise<unknown> =>
      connection.set(`${prefix}:leader:number`, number);
    await leads(1);
    await first.create(record('a'), submitted, null);
    const told = (message: string) => ({
      event: { type: 'log', level: 'info', message } as const,
      fields: { reason: message },
    });
    for (const sequence of [4, 4, 7, 5]) {
      const change = await first.change('a', { ...told(`change ${sequence}`), sequence });
      expect(change.outcome).toBe('done');
    }
    // Another leader counts anew.
    await leads(2);
    await next.change('a', { ...told('change 1 of the next'), sequence: 1 });
    await next.change('a', told('without a number'));
    const messages = (await next.events.of('a', null, 10)).flatMap((event) =>
      event.type === 'log' ? event.message : [],
    );
    expect(messages).toEqual(['change 4', 'change 7', 'change 1 of the next', 'without a number']);
    expect((await next.get('a'))?.reason).toBe('without a number');
  });

  it('resumes events behind an id, in order', async () => {
    const store = newStore();
    await store.create(record('a'), submitted, null);
    for (let step = 1; step <= 5; step++) {
      const metrics = stepMetrics(step);
      await store.change('a', { step: metrics, event: { type: 'step', metrics } });
    }
    const all = await store.events.of('a', null, 100);
    expect(all.map((event) => (event.type === 'step' ? event.metrics.step : 0))).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    expect(await store.events.of('a', all[2]!.id, 2)).toEqual(all.slice(3, 5));
    expect(await store.events.of('a', all[5]!.id, 2)).toEqual([]);
  });

  it('keeps one entry for each step and bounds the history', async () => {
    const store = newStore({ ...DEFAULT_RETENTION, steps: 3 });
    await store.create(record('a'), submitted, null);
    for (const step of [1, 2, 3, 4, 5]) await store.change('a', { step: stepMetrics(step) });
    await store.change('a', { step: { ...stepMetrics(4), stepMs: 99 } });
    const steps = await store.histories.steps('a', 0, 10);
    expect(steps.map(({ step }) => step)).toEqual([3, 4, 5]);
    expect(steps[1]!.stepMs).toBe(99);
    expect((await store.histories.steps('a', 4, 1)).map(({ step }) => step)).toEqual([4]);
  });

  it('reads a long history in pages, from a step to a step', async () => {
    const store = newStore();
    await store.create(record('a'), submitted, null);
    for (const step of [1, 2, 3, 4, 5]) await store.change('a', { step: stepMetrics(step) });
    const read = async (from: number, to: number): Promise<number[]> => {
      const found: number[] = [];
      for await (const page of store.histories.stepPages('a', from, to)) {
        found.push(...page.map(({ step }) => step));
      }
      return found;
    };
    expect(await read(0, Infinity)).toEqual([1, 2, 3, 4, 5]);
    expect(await read(2, 4)).toEqual([2, 3, 4]);
    expect(await read(6, 9)).toEqual([]);
  });

  it('keeps how ranks spend their steps, the fewer records the more ranks there are', async () => {
    const store = newStore({ ...DEFAULT_RETENTION, rankTimes: 4 });
    await store.create(record('a'), submitted, null);
    const parts = { dataWaitMs: 1, computeMs: 2, ringMs: 3, commitMs: 4, applyMs: 5 };
    const rankOf = (rank: number) => ({ rank, workerId: `w${rank}`, samples: 8, parts });
    for (const step of [1, 2, 3]) {
      const ranks = { step, timeMs: step, ranks: [rankOf(0), rankOf(1)] };
      await store.change('a', { step: stepMetrics(step), ranks });
    }
    await store.change('a', { step: stepMetrics(4), ranks: null });
    const kept = await store.histories.ranks('a', 0, 10);
    expect(kept.map(({ step }) => step)).toEqual([2, 3]);
    expect(kept[1]?.ranks[1]).toEqual(rankOf(1));
    expect(await store.histories.steps('a', 0, 10)).toHaveLength(4);
  });

  it('changes a ledger epoch by epoch, with the job and under its guard', async () => {
    const store = newStore();
    await store.create(record('a'), submitted, null);
    expect(await store.histories.ledger('a')).toBeNull();
    const summary = {
      numSamples: 8,
      batchSize: 4,
      numFolded: 0,
      numFoldedViolated: 0,
      numRedone: 0,
    };
    const epoch = (number: number, numDropped = 0): LedgerEpoch => ({
      epoch: number,
      verdict: 'open',
      problems: [],
      ranges: [],
      numDropped,
    });
    const both = new Map([0, 1].map((number) => [number, epoch(number)]));
    await store.change('a', { ledger: { summary, epochs: both } });
    await store.change('a', { fields: { reason: 'another change' } });
    expect((await store.histories.ledger('a'))?.summary).toEqual(summary);
    const later = { ...summary, numFolded: 1 };
    const epochs = new Map([
      [0, null],
      [1, epoch(1, 3)],
    ]);
    const ledger = { summary: later, epochs };
    expect(await store.change('a', { attempt: 7, ledger })).toMatchObject({ outcome: 'refused' });
    expect((await store.histories.ledger('a'))?.epochs).toHaveLength(2);
    await store.change('a', { ledger });
    expect(await store.histories.ledger('a')).toEqual({ summary: later, epochs: [epoch(1, 3)] });
  });

  it('bounds the events of a job', async () => {
    const store = newStore({ ...DEFAULT_RETENTION, events: 100 });
    await store.create(record('a'), submitted, null);
    for (let i = 0; i < 500; i++) {
      await store.change('a', { event: { type: 'log', level: 'info', message: `${i}` } });
    }
    // Redis trims a stream by whole blocks of 100 entries.
    expect((await store.events.of('a', null, 1_000)).length).toBeLessThanOrEqual(200);
  });

  it('lets the history of an ended job expire, and keeps it again when resumed', async () => {
    const prefix = newPrefix();
    const store = new RunStore(connection, prefix);
    await store.create(record('a'), submitted, null);
    const ttl = (): Promise<number> => connection.pttl(`${prefix}:job:a:events`);
    expect(await ttl()).toBe(-1);
    await store.change('a', { fields: { state: 'failed' } });
    expect(await ttl()).toBeGreaterThan(0);
    await store.change('a', { fields: { state: 'pending' } });
    expect(await ttl()).toBe(-1);
  });

  it('lists by pages, newest first, and by state', async () => {
    const store = newStore();
    const ids = Array.from({ length: 7 }, (_, index) => `job-${index}`);
    for (const id of ids) await store.create(record(id), submitted, null);
    await store.change('job-3', { fields: { state: 'failed' } });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.index.list({ limit: 3, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([...ids].reverse());
    const failed = await store.index.list({ state: 'failed', limit: 3 });
    expect(failed.items.map(({ id }) => id)).toEqual(['job-3']);
    expect(failed.nextCursor).toBeNull();
  });

  it('gives each attempt number once', async () => {
    const store = newStore();
    const numbers = await Promise.all(Array.from({ length: 20 }, () => store.nextAttempt('a')));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe('data set store', () => {
  const dataSet = (name: string): DataSetRecord => ({
    view: {
      name,
      state: 'preparing',
      reason: '',
      hash: null,
      manifest: null,
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    registration: { name, format: 'glyphs', seed: 1, trainSamples: 10, testSamples: 10 },
    directory: null,
    owner: 'root',
    storageLimitBytes: null,
  });

  it('takes a name once', async () => {
    const store = new DataSetStore(connection, newPrefix());
    expect(await store.create(dataSet('b'))).toBeNull();
    expect(await store.create(dataSet('a'))).toBeNull();
    expect(await store.create(dataSet('a'))).toEqual(dataSet('a'));
    expect((await store.list()).map(({ view }) => view.name)).toEqual(['a', 'b']);
    expect(await store.get('c')).toBeNull();
  });
});

describe('without Redis', () => {
  it('says so within the deadline, and goes on when it is back', async () => {
    const own = await startTestRedis();
    const away = connectForCommands({ url: own.url, keyPrefix: '', onError: () => undefined });
    const store = new RunStore(away, 'away');
    await store.create(record('a'), submitted, null);
    process.kill(own.server.pid, 'SIGSTOP');
    await expect(store.get('a')).rejects.toBeInstanceOf(StoreError);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    process.kill(own.server.pid, 'SIGCONT');
    expect(await store.get('a')).toMatchObject({ id: 'a' });
    await own.stop();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await closeConnection(away);
  });
});
