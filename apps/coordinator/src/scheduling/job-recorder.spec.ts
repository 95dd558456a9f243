import { Ledger } from '@skipring/cluster';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { JobRecorder } from './job-recorder.js';
import { OrderedWrites } from './ordered-writes.js';
import { MemoryStore } from './testing/memory-store.js';

const log = pino({ level: 'silent' });
const fence = { jobId: 'a', attempt: 1, generation: 1 };
const metrics = {
  step: 3,
  epoch: 0,
  cursor: 24,
  loss: 1,
  accuracy: 0.5,
  learningRate: 0.1,
  samples: 8,
  stepMs: 4,
};

let store: MemoryStore;
let writes: OrderedWrites;
let recorder: JobRecorder;
let requeued: [string, number][];
let events: string[];

beforeEach(() => {
  store = new MemoryStore();
  requeued = [];
  events = [];
  writes = new OrderedWrites(log);
  recorder = new JobRecorder({
    store,
    queue: { requeue: (id, ms) => Promise.resolve(void requeued.push([id, ms])) },
    writes,
    onEvent: ({ type }) => events.push(type),
    log,
  });
});

function begin(attempt = 1, attemptsBefore = 0): void {
  const ledger = new Ledger({ numSamples: 24, batchSize: 8 }, null);
  recorder.begin(store.add('a', { state: 'waiting', attempt, attemptsBefore }), attempt, ledger);
}

const stored = async () => {
  await writes.settled('a', 5_000);
  return store.records.get('a');
};

describe('the record of a job', () => {
  it('follows it from the first generation to its success', async () => {
    begin();
    recorder.state({ type: 'jobState', jobId: 'a', state: 'running', reason: 'go' });
    const workers = ['w1', 'w2'];
    recorder.generation({ type: 'generationStarted', fence, workers, step: 2, reason: 'start' });
    recorder.step({ type: 'stepCommitted', fence, metrics });
    const running = await stored();
    expect(running).toMatchObject({ state: 'running', generation: 1, workers, lastStep: metrics });
    expect(running?.progress).toMatchObject({ step: 3, imagesPerSecond: 2_000, etaMs: 28 });
    expect(running?.startedAt).not.toBeNull();

    const counts = { samples: 8, confusion: [[8]], worst: [] };
    const result = { step: 3, epoch: 0, loss: 1, accuracy: 0.6, ...counts };
    recorder.evaluation({ type: 'evaluationDone', fence, result });
    // Told again by the next generation: it is one evaluation all the same.
    recorder.evaluation({ type: 'evaluationDone', fence, result });
    const worse = { ...result, step: result.step + 1, accuracy: 0.4 };
    recorder.evaluation({ type: 'evaluationDone', fence, result: worse });
    recorder.checkpoint(fence, { step: 3, bytes: 9, modelSha256: 'm', best: true });
    recorder.succeeded({ type: 'jobFinished', jobId: 'a', attempt: 1, modelSha256: 'm' });
    expect(recorder.run('a')).toBeNull();
    const ended = await stored();
    expect(ended).toMatchObject({
      state: 'succeeded',
      modelSha256: 'm',
      workers: [],
      bestAccuracy: 0.6,
      lastEvaluation: worse,
      progress: { step: 10, etaMs: 0 }, // all, also those whose reports never came
    });
    expect(ended?.finishedAt).not.toBeNull();
    expect(events).toEqual([
      'state',
      'generation',
      'step',
      'evaluation',
      'evaluation',
      'checkpoint',
      'state',
    ]);
  });

  it('keeps when training began while the job waits for workers in between', async () => {
    begin();
    recorder.state({ type: 'jobState', jobId: 'a', state: 'running', reason: 'go' });
    const startedAt = (await stored())?.startedAt;
    recorder.step({ type: 'stepCommitted', fence, metrics });
    recorder.state({ type: 'jobState', jobId: 'a', state: 'waiting', reason: 'lost' });
    expect(await stored()).toMatchObject({
      state: 'waiting',
      startedAt,
      workers: [],
      progress: { step: 3, imagesPerSecond: 0, etaMs: null },
    });
    recorder.state({ type: 'jobState', jobId: 'a', state: 'running', reason: 'again' });
    expect((await stored())?.startedAt).toBe(startedAt);
  });
});

describe('the ledger of a job', () => {
  it('is stored with each step', async () => {
    begin();
    const workers = ['w1'];
    recorder.generation({ type: 'generationStarted', fence, workers, step: 2, reason: 'start' });
    recorder.step({ type: 'stepCommitted', fence, metrics });
    await stored();
    const ledger = await store.histories.ledger('a');
    expect(ledger?.epochs).toMatchObject([{ epoch: 0, verdict: 'exact', problems: [] }]);
    expect(events).toEqual(['generation', 'step']);
  });

  it('that misses samples at the end of an epoch is told of', async () => {
    begin();
    recorder.step({ type: 'stepCommitted', fence, metrics });
    await stored();
    const message = 'epoch 0 is not exact: samples 0 to 15 are in no committed step';
    const last = store.changes.at(-1)?.change.event;
    expect(last).toEqual({ type: 'log', level: 'error', message });
  });
});

describe('an attempt that failed', () => {
  const failed = { type: 'attemptFailed', jobId: 'a', attempt: 1, reason: 'broke' } as const;

  it('is followed by another after the back-off', async () => {
    begin();
    recorder.attemptFailed({ ...failed, retryable: true });
    const record = await stored();
    expect(record).toMatchObject({ state: 'pending', workers: [], finishedAt: null });
    expect(record?.reason).toBe('attempt 1 failed: broke; the next begins in 500 ms');
    expect(requeued).toEqual([['a', 500]]);
    expect(recorder.run('a')).toBeNull();
  });

  it('fails the job when no retry is left', async () => {
    begin(2);
    recorder.attemptFailed({ ...failed, attempt: 2, retryable: true });
    expect(await stored()).toMatchObject({ state: 'failed', reason: 'broke' });
    expect(requeued).toEqual([]);
  });

  it('counts retries from the last resumption', async () => {
    begin(5, 4);
    recorder.attemptFailed({ ...failed, attempt: 5, retryable: true });
    expect(await stored()).toMatchObject({ state: 'pending' });
    expect(requeued).toEqual([['a', 500]]);
  });

  it('fails the job at once when another try cannot help', async () => {
    begin();
    recorder.attemptFailed({ ...failed, retryable: false });
    expect(await stored()).toMatchObject({ state: 'failed', reason: 'broke' });
    expect(requeued).toEqual([]);
  });

  it('puts the job in the queue only when its state is stored', async () => {
    begin();
    store.isAway = true;
    recorder.attemptFailed({ ...failed, retryable: true });
    expect(await writes.settled('a', 50)).toBe(false);
    expect(requeued).toEqual([]);
    store.isAway = false;
    expect(await stored()).toMatchObject({ state: 'pending' });
    expect(requeued).toEqual([['a', 500]]);
  });
});

describe('what is told of a job', () => {
  it('that has no attempt is not stored', async () => {
    store.add('a');
    recorder.step({ type: 'stepCommitted', fence, metrics });
    recorder.tell('a', 'warn', 'too late');
    recorder.succeeded({ type: 'jobFinished', jobId: 'a', attempt: 1, modelSha256: 'm' });
    await stored();
    expect(store.changes).toEqual([]);
  });

  it('by an attempt that was overtaken is refused, and nobody is woken', async () => {
    begin();
    store.add('a', { state: 'running', attempt: 2 });
    recorder.tell('a', 'info', 'from attempt 1');
    expect(await stored()).toMatchObject({ attempt: 2 });
    expect(store.changes).toEqual([]);
    expect(events).toEqual([]);
  });
});
