import { Ledger } from '@skipring/cluster';
import { coordinatorMetrics, type CoordinatorMetrics } from '@skipring/metrics';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { EffectHandler } from './effect-handler.js';
import { FinalSeries } from './final-series.js';
import { JobRecorder } from './job-recorder.js';
import { OrderedWrites } from './ordered-writes.js';
import { MemoryStore } from './testing/memory-store.js';
import { WorkerLinks } from './worker-links.js';

const fence = { jobId: 'a', attempt: 1, generation: 2 };
const parts = { dataWaitMs: 10, computeMs: 20, ringMs: 30, commitMs: 15, applyMs: 25 };

let metrics: CoordinatorMetrics;
let store: MemoryStore;
let writes: OrderedWrites;
let links: WorkerLinks;
let effects: EffectHandler;
let fences: unknown[];
let said: string[];

beforeEach(() => {
  const log = pino({ level: 'silent' });
  metrics = coordinatorMetrics();
  store = new MemoryStore();
  writes = new OrderedWrites(log);
  links = new WorkerLinks(metrics, log);
  fences = [];
  said = [];
  const queue = { requeue: () => Promise.resolve() };
  const recorder = new JobRecorder({ store, queue, writes, onEvent: () => undefined, log });
  const ledger = new Ledger({ numSamples: 32, batchSize: 8 }, null);
  recorder.begin(store.add('a', { state: 'waiting', attempt: 1 }), 1, ledger);
  links.add('w1', {
    send: ({ type }) => said.push(`send ${type}`),
    close: (reason) => said.push(`close: ${reason}`),
  });
  effects = new EffectHandler({
    links,
    recorder,
    checkpoints: { raiseFence: (raised) => fences.push(raised) },
    metrics,
    tracer: null,
    finalSeries: new FinalSeries(metrics),
    log,
  });
});

const page = (): Promise<string> => metrics.registry.metrics();
const stored = async () => {
  await writes.settled('a', 5_000);
  return store.changes.map(({ change }) => change);
};

describe('what the cluster decides', () => {
  it('reaches a worker: messages and the end of its connection', () => {
    effects.carryOut({ type: 'send', workerId: 'w1', message: { type: 'released' } });
    effects.carryOut({ type: 'send', workerId: 'w2', message: { type: 'released' } });
    effects.carryOut({ type: 'disconnect', workerId: 'w1', reason: 'silent' });
    effects.carryOut({ type: 'disconnect', workerId: 'w1', reason: 'silent' });
    expect(said).toEqual(['send released', 'close: silent']);
    expect(links.has('w1')).toBe(false);
  });

  it('a generation raises the fence of checkpoints, and counts each worker afresh', async () => {
    const rankStep = { type: 'rankStep', jobId: 'a', rank: 0, workerId: 'w1', parts } as const;
    effects.carryOut({ ...rankStep, ringBytes: 7, samples: 10 });
    expect(links.imagesPerSecond('w1')).toBe(100);
    const started = { type: 'generationStarted', fence, step: 4, reason: 'start' } as const;
    effects.carryOut({ ...started, workers: ['w1', 'w2'] });
    expect(fences).toEqual([fence]);
    expect(links.imagesPerSecond('w1')).toBe(0);
    expect(await stored()).toMatchObject([
      { attempt: 1, fields: { generation: 2, workers: ['w1', 'w2'] } },
    ]);
    const text = await page();
    expect(text).toContain('skipring_job_world_size{job_id="a"} 2');
    expect(text).toContain('skipring_job_ring_sent_bytes_total{job_id="a"} 7');
  });

  it('hashes that differ are told to followers and counted', async () => {
    effects.carryOut({ type: 'hashesCompared', jobId: 'a', agreed: true });
    effects.carryOut({ type: 'hashesCompared', jobId: 'a', agreed: false });
    expect(await stored()).toMatchObject([{ event: { type: 'log', level: 'error' } }]);
    const text = await page();
    expect(text).toContain('skipring_job_parameter_hash_agreement{job_id="a"} 0');
    expect(text).toContain('hash_checks_total{job_id="a",result="agreed"} 1');
    expect(text).toContain('hash_checks_total{job_id="a",result="diverged"} 1');
  });

  it('a lost member is told to followers and counted', async () => {
    effects.carryOut({ type: 'memberLost', jobId: 'a', workerId: 'w1' });
    expect(await stored()).toMatchObject([
      { event: { type: 'log', level: 'warn', message: 'worker w1 is lost' } },
    ]);
    expect(await page()).toContain('skipring_job_lost_members_total{job_id="a"} 1');
  });

  it.each([
    ['succeeded', { type: 'jobFinished', jobId: 'a', attempt: 1, modelSha256: 'm' }],
    ['cancelled', { type: 'jobCancelled', jobId: 'a', attempt: 1 }],
    ['failed', { type: 'attemptFailed', jobId: 'a', attempt: 1, reason: 'x', retryable: false }],
  ] as const)('the end of an attempt is stored as %s', async (state, effect) => {
    effects.carryOut(effect);
    expect(await stored()).toMatchObject([{ fields: { state }, event: { type: 'state', state } }]);
  });

  it('of a job that is gone is carried out without a record', async () => {
    effects.carryOut({ type: 'memberLost', jobId: 'gone', workerId: 'w1' });
    effects.carryOut({ type: 'jobState', jobId: 'gone', state: 'running', reason: 'x' });
    effects.carryOut({ type: 'jobCancelled', jobId: 'gone', attempt: 1 });
    expect(await stored()).toEqual([]);
  });
});
