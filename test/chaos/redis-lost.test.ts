import { setTimeout as pause } from 'node:timers/promises';
import { jobViewSchema } from '@skipring/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { samplesOf } from '../support/exposition.js';
import { expectProblem } from '../support/problem.js';
import { RestartableRedis } from '../support/restartable-redis.js';
import { until } from '../support/until.js';
import { DisturbedJob } from '../system/disturbed-job.js';
import type { JobWatch } from '../system/job-watch.js';
import { ProcessCluster } from '../system/process-cluster.js';
import { expectExactLedger } from './recovery.js';

/** Steps to see before a fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;
const isFull = process.env.SKIPRING_CHAOS === 'full';
/** Beyond the deadline of a command and the leader's lease, both of which end meanwhile. */
const AWAY_MS = isFull ? 30_000 : 7_000;
const NUM_EPOCHS = isFull ? 30 : 10;
/** Of each step of the job that trains, at least: so that it is under way for long on a fast machine too. */
const STEP_MS = 150;

describe('while a job trains', () => {
  let redis: RestartableRedis;
  let cluster: ProcessCluster;
  let job: DisturbedJob;

  beforeAll(async () => {
    redis = await RestartableRedis.start();
    cluster = await ProcessCluster.start(2, {
      redis: { url: redis.url, stop: () => redis.remove() },
      environment: { SKIPRING_FAULTS: '1' },
    });
    job = await DisturbedJob.prepare(cluster, { numEpochs: NUM_EPOCHS });
  });
  beforeEach(() => cluster.haveWorkers(2));
  afterAll(() => cluster.stop());

  /** One that trains on both workers, and one that waits for them. */
  async function twoJobs(): Promise<readonly [JobWatch, JobWatch]> {
    const training = await job.submit({ min: 2 });
    await training.generation(1);
    const slow = { kind: 'hang', rank: 0, step: 1, phase: 'dataFetch' } as const;
    const fault = { ...slow, durationMs: STEP_MS, count: job.totalSteps };
    await cluster.client.armFault({ jobId: training.id, fault });
    await training.step(BEFORE_FAULT);
    const waiting = await job.submit({ min: 2 });
    await waiting.first('state', ({ state }) => state === 'waiting');
    return [training, waiting];
  }

  function ask(path: string, request: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${cluster.token}`, ...request.headers };
    return fetch(`${cluster.url}${path}`, { ...request, headers });
  }

  async function stepOf({ id }: JobWatch): Promise<number> {
    const samples = samplesOf(await (await ask('/metrics')).text());
    return samples.get(`skipring_job_step{job_id="${id}"}`) ?? 0;
  }

  /** A further job, with an idempotency key of its own for each job that trains meanwhile. */
  function submit({ id }: JobWatch): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `beside-${id}` };
    return ask('/api/v1/jobs', { method: 'POST', headers, body: JSON.stringify(job.spec) });
  }

  /** Steps are committed without Redis, and a submission is refused for now. */
  async function trainsOn(training: JobWatch): Promise<void> {
    const before = await stepOf(training);
    const refused = await submit(training);
    expect(refused.headers.get('retry-after')).toBe('2');
    await expectProblem(refused, 503, 'STORE_UNAVAILABLE');
    await until('steps are committed meanwhile', async () =>
      (await stepOf(training)) > before + BEFORE_FAULT ? true : null,
    );
  }

  /** Both jobs end with the undisturbed model, in their first attempt, and nothing is told twice. */
  async function expectNothingLost(jobs: readonly [JobWatch, JobWatch]): Promise<void> {
    await until('Redis is back', async () => ((await ask('/health/ready')).ok ? true : null));
    const later = await submit(jobs[0]);
    expect(later.ok).toBe(true);
    const { id } = jobViewSchema.parse(await later.json());
    await cluster.client.cancel(id);
    const created = (await cluster.client.jobs()).items.map((view) => view.id);
    expect(created.filter((other) => other > jobs[1].id)).toEqual([id]);
    for (const watch of jobs) {
      const { attempt } = await job.expectSame(watch);
      expect(attempt).toBe(1);
      await expectExactLedger(cluster, watch);
      const steps = watch.ofType('step').map(({ metrics }) => metrics.step);
      expect(steps).toEqual(Array.from({ length: job.totalSteps }, (_, index) => index + 1));
      expect(watch.ofType('state').filter(({ state }) => state === 'succeeded')).toHaveLength(1);
      watch.close();
    }
  }

  it('Redis is killed and comes back with its append-only file', async () => {
    const jobs = await twoJobs();
    await redis.goAway('SIGKILL');
    await trainsOn(jobs[0]);
    await redis.come();
    await expectNothingLost(jobs);
  });

  it(`Redis answers nothing for ${AWAY_MS / 1000} s`, async () => {
    const jobs = await twoJobs();
    redis.freeze();
    const awayUntil = Date.now() + AWAY_MS;
    await trainsOn(jobs[0]);
    await pause(Math.max(0, awayUntil - Date.now()));
    redis.thaw();
    await expectNothingLost(jobs);
  });
});
