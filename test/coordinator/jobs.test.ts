import { setTimeout as pause } from 'node:timers/promises';
import {
  jobPageSchema,
  jobSummaryPageSchema,
  jobSummarySchema,
  jobViewSchema,
  type JobPage,
} from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  jobIn,
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

let redis: TestRedis;
let coordinator: TestCoordinator;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url);
  await settleDataSet(coordinator, tinyGlyphs);
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

async function page(query: string, from = coordinator): Promise<JobPage> {
  return jobPageSchema.parse(await (await from.send(`/jobs?${query}`)).json());
}

function act(id: string, action: 'cancel' | 'resume'): Promise<Response> {
  return coordinator.send(`/jobs/${id}/${action}`, { method: 'POST' });
}

describe('a submission', () => {
  it('comes back with every default filled in, and goes on to wait for workers', async () => {
    const job = await submit(coordinator);
    expect(job).toMatchObject({
      name: 'waits',
      progress: { step: 0, totalSteps: 3, totalEpochs: 1 },
      spec: { priority: 50, reduction: 'exact', workers: { min: 1, max: 8, threads: 1 } },
    });
    const waiting = await jobIn(coordinator, job.id, 'waiting');
    expect(waiting).toMatchObject({ attempt: 1, workers: [], startedAt: null });
    expect(waiting.reason).toMatch(/^needs 1 worker/);
  });

  it('of one idempotency key makes one job, however the defaults are written', async () => {
    const headers = { 'idempotency-key': 'same-job' };
    const first = await coordinator.send('/jobs', { json: waitingJob(), headers });
    expect(first.status).toBe(201);
    const { id } = jobViewSchema.parse(await first.json());
    const again = await coordinator.send('/jobs', { json: waitingJob({ seed: 1 }), headers });
    expect(again.status).toBe(200);
    expect(jobViewSchema.parse(await again.json()).id).toBe(id);
  });

  it('of one idempotency key with another spec is refused', async () => {
    const headers = { 'idempotency-key': 'other-job' };
    const { id } = await submit(coordinator, waitingJob(), headers);
    const other = await coordinator.send('/jobs', { json: waitingJob({ seed: 2 }), headers });
    const { detail } = await expectProblem(other, 409, 'IDEMPOTENCY_KEY_REUSED');
    expect(detail).toContain(id);
  });

  it('sent many times at once with one idempotency key makes one job', async () => {
    const headers = { 'idempotency-key': 'at-once' };
    const spec = waitingJob({ name: 'at-once' });
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => coordinator.send('/jobs', { json: spec, headers })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(15).fill(200),
      201,
    ]);
    const jobs = await Promise.all(
      answers.map(async (answer) => jobViewSchema.parse(await answer.json())),
    );
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    const { items } = await page('limit=200');
    expect(items.filter(({ name }) => name === 'at-once')).toHaveLength(1);
  });
});

describe('a cancel', () => {
  it('ends a job that waits, and only once', async () => {
    const { id } = await submit(coordinator);
    await jobIn(coordinator, id, 'waiting');
    const cancelled = await act(id, 'cancel');
    expect(cancelled.status).toBe(200);
    const job = jobViewSchema.parse(await cancelled.json());
    expect(job).toMatchObject({ state: 'cancelled', reason: 'cancelled by a user' });
    expect(job.finishedAt).not.toBeNull();
    const { detail } = await expectProblem(await act(id, 'cancel'), 409, 'JOB_FINAL');
    expect(detail).toContain('cancelled');
  });

  it('sent many times at once succeeds once', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => act(id, 'cancel')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(7).fill(409)]);
    await Promise.all(answers.map((answer) => answer.text()));
  });
});

describe('a resume', () => {
  it('is refused while the job is pending', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    const { detail } = await expectProblem(await act(id, 'resume'), 409, 'JOB_NOT_RESUMABLE');
    expect(detail).toContain('pending, expected paused, cancelled or failed');
  });

  it('puts a cancelled job in the queue again, as a new attempt', async () => {
    const { id } = await submit(coordinator);
    await jobIn(coordinator, id, 'waiting');
    await (await act(id, 'cancel')).text();
    const resumed = await act(id, 'resume');
    expect(resumed.status).toBe(200);
    expect(jobViewSchema.parse(await resumed.json())).toMatchObject({ finishedAt: null });
    expect(await jobIn(coordinator, id, 'waiting')).toMatchObject({ attempt: 2 });
    await expectProblem(await act(id, 'resume'), 409, 'JOB_NOT_RESUMABLE');
  });

  it('lets a delayed job that was cancelled run at once', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    await (await act(id, 'cancel')).text();
    await (await act(id, 'resume')).text();
    expect(await jobIn(coordinator, id, 'waiting')).toMatchObject({ attempt: 1 });
  });
});

describe('the list of jobs', () => {
  let lister: TestCoordinator;
  const ids: string[] = [];

  beforeAll(async () => {
    lister = await startCoordinator(redis.url);
    await settleDataSet(lister, tinyGlyphs);
    for (let index = 0; index < 7; index++) ids.unshift(await submitNext(lister));
  });

  afterAll(() => lister.close());

  /** Ids are in order of time to the millisecond. */
  async function submitNext(to: TestCoordinator): Promise<string> {
    await pause(2);
    return (await submit(to, waitingJob({ delayMs: 3_600_000 }))).id;
  }

  const idsOf = ({ items }: JobPage): string[] => items.map(({ id }) => id);

  it('has the newest first', async () => {
    const all = await page('', lister);
    expect(idsOf(all)).toEqual(ids);
    expect(all.nextCursor).toBeNull();
  });

  it('goes on where the page before ended while new jobs arrive', async () => {
    const first = await page('limit=3', lister);
    const newest = await submitNext(lister);
    const second = await page(`limit=3&cursor=${first.nextCursor}`, lister);
    const third = await page(`limit=3&cursor=${second.nextCursor}`, lister);
    expect([first, second, third].flatMap(idsOf)).toEqual(ids);
    expect(third.nextCursor).toBeNull();
    ids.unshift(newest);
    expect(idsOf(await page('limit=1', lister))).toEqual([newest]);
  });

  it('has no page behind the last when the jobs fill it', async () => {
    const all = await page(`limit=${ids.length}`, lister);
    expect(all.items).toHaveLength(ids.length);
    expect(all.nextCursor).toBeNull();
  });

  it('of summaries has up to 10,000 of them, without their specs', async () => {
    const { items, ...rest } = await page('', lister);
    const answer = await lister.send('/jobs?view=summary&limit=10000');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const summaries = jobSummaryPageSchema.parse(await answer.json());
    const expected = items.map((job) => jobSummarySchema.strip().parse(job));
    expect(summaries).toEqual({ ...rest, items: expected });
    expect(rest.total).toBe(ids.length);

    const tooMany = await lister.send('/jobs?view=summary&limit=10001');
    await expectProblem(tooMany, 422, 'REQUEST_INVALID');
    const { errors } = await expectProblem(
      await lister.send('/jobs?limit=201'),
      422,
      'REQUEST_INVALID',
    );
    expect(errors).toEqual([
      { field: '/limit', value: '"201"', expected: 'at most 200, or view=summary' },
    ]);
  });

  it('of summaries is as live as the others, and goes by pages too', async () => {
    const { id } = await submit(coordinator, waitingJob({ name: 'summed' }));
    const job = await jobIn(coordinator, id, 'waiting');
    const answer = await coordinator.send('/jobs?view=summary&limit=1&state=waiting');
    const { items, nextCursor, total } = jobSummaryPageSchema.parse(await answer.json());
    expect(items).toEqual([jobSummarySchema.strip().parse(job)]);
    expect(total).toBeGreaterThan(1);
    expect(nextCursor).toBe(id);
    const rest = await coordinator.send(`/jobs?view=summary&state=waiting&cursor=${nextCursor}`);
    expect(jobSummaryPageSchema.parse(await rest.json()).items).toHaveLength(total - 1);
  });

  it('can be of one state, by pages too', async () => {
    const chosen = [ids[1]!, ids[3]!, ids[4]!];
    for (const id of chosen) {
      await (await lister.send(`/jobs/${id}/cancel`, { method: 'POST' })).text();
    }
    const first = await page('state=cancelled&limit=2', lister);
    const second = await page(`state=cancelled&limit=2&cursor=${first.nextCursor}`, lister);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(chosen);
    expect(idsOf(await page('state=pending', lister))).toEqual(
      ids.filter((id) => !chosen.includes(id)),
    );
    expect(idsOf(await page('state=succeeded', lister))).toEqual([]);
  });
});
