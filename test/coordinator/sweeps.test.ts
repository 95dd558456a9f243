import { sweepViewSchema, type SweepView } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

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

const { model, data, training, lanes } = waitingJob();
const sweep = {
  apiVersion: 'skipring/v1',
  name: 'rates',
  job: { model, data, training, lanes },
  parameters: { 'training.learningRate': { values: [0.1, 0.2, 0.3, 0.4, 0.5] } },
  strategy: { kind: 'grid' },
  parallel: 2,
};

async function get(id: string): Promise<SweepView> {
  return sweepViewSchema.parse(await (await coordinator.send(`/sweeps/${id}`)).json());
}

const open = ({ trials }: SweepView): string[] =>
  trials.flatMap(({ jobId, state }) =>
    jobId !== null && state !== null && ['pending', 'waiting'].includes(state) ? [jobId] : [],
  );

function untilOpen(id: string, without: string | null): Promise<SweepView> {
  return until('two open trials', async () => {
    const view = await get(id);
    const jobs = open(view);
    return jobs.length === 2 && !jobs.includes(without ?? '') ? view : null;
  });
}

describe('a sweep', () => {
  it('keeps the queue filled, over a restart too, until it is cancelled', async () => {
    const answer = await coordinator.send('/sweeps', { json: sweep });
    expect(answer.status).toBe(201);
    const { id, trials } = sweepViewSchema.parse(await answer.json());
    expect(answer.headers.get('location')).toBe(`/api/v1/sweeps/${id}`);
    expect(trials).toHaveLength(5);

    const first = await untilOpen(id, null);
    const [gone = ''] = open(first);
    await coordinator.send(`/jobs/${gone}/cancel`, { method: 'POST' });
    const second = await untilOpen(id, gone);
    expect(second.trials.filter(({ state }) => state === 'cancelled')).toHaveLength(1);

    const { keyPrefix, dataDirectory } = coordinator.options;
    await coordinator.close();
    coordinator = await startCoordinator(redis.url, { keyPrefix, dataDirectory });
    const again = open(await get(id));
    expect(again.sort()).toEqual(open(second).sort());
    await coordinator.send(`/jobs/${again[0]}/cancel`, { method: 'POST' });
    const third = await untilOpen(id, again[0] ?? '');
    const page = (await (await coordinator.send('/jobs')).json()) as { items: { name: string }[] };
    const names = page.items.map(({ name }) => name).sort();
    expect(names).toEqual(['rates-0', 'rates-1', 'rates-2', 'rates-3']);

    const cancelled = await coordinator.send(`/sweeps/${id}/cancel`, { method: 'POST' });
    expect(sweepViewSchema.parse(await cancelled.json()).state).toBe('cancelled');
    await until('the end of its trials', async () =>
      open(await get(id)).length === 0 ? true : null,
    );
    expect(open(third)).toHaveLength(2);
    const last = await get(id);
    expect(last.trials.map(({ state }) => state)).toEqual([
      ...Array<string>(4).fill('cancelled'),
      null,
    ]);
    const late = await coordinator.send(`/sweeps/${id}/cancel`, { method: 'POST' });
    await expectProblem(late, 409, 'SWEEP_FINAL');
  });

  it('is made once of many submissions with one idempotency key', async () => {
    const later = { ...sweep, job: { ...sweep.job, delayMs: 3_600_000 } };
    const headers = { 'idempotency-key': 'one-sweep' };
    const answers = await Promise.all(
      // The second has a default written out.
      [later, { ...later, seed: 1 }, later].map((json) =>
        coordinator.send('/sweeps', { json, headers }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    const views = await Promise.all(
      answers.map(async (answer) => sweepViewSchema.parse(await answer.json())),
    );
    const [{ id } = { id: '' }] = views;
    expect(new Set(views.map((view) => view.id)).size).toBe(1);
    const other = { json: { ...later, seed: 2 }, headers };
    await expectProblem(await coordinator.send('/sweeps', other), 409, 'IDEMPOTENCY_KEY_REUSED');
    const job = { json: waitingJob(), headers };
    await expectProblem(await coordinator.send('/jobs', job), 409, 'IDEMPOTENCY_KEY_REUSED');
    const wrong = { json: later, headers: { 'idempotency-key': 'two words' } };
    await expectProblem(await coordinator.send('/sweeps', wrong), 400, 'IDEMPOTENCY_KEY_INVALID');
    await coordinator.send(`/sweeps/${id}/cancel`, { method: 'POST' });
  });

  it('is refused when one of its jobs could not be submitted, with the field', async () => {
    const parameters = { 'model.depth': { values: [8, 9] } };
    const answer = await coordinator.send('/sweeps', { json: { ...sweep, parameters } });
    const { errors } = await expectProblem(answer, 422, 'REQUEST_INVALID');
    expect(errors?.[0]?.field).toBe('/job/model/depth');
    const { items } = (await (await coordinator.send('/sweeps')).json()) as { items: unknown[] };
    expect(items).toHaveLength(2);
  });
});
