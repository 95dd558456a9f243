import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  getJob,
  jobIn,
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { openEvents } from '../support/event-stream.js';
import { expectProblem } from '../support/problem.js';
import { RestartableRedis } from '../support/restartable-redis.js';
import { until } from '../support/until.js';

let redis: RestartableRedis;
let coordinator: TestCoordinator;

beforeAll(async () => {
  redis = await RestartableRedis.start();
  coordinator = await startCoordinator(redis.url);
});

afterAll(async () => {
  await coordinator.close();
  await redis.remove();
});

describe('while Redis is away', () => {
  it('requests are refused for now, and nothing is lost', async () => {
    const { send } = coordinator;
    const key = { 'idempotency-key': 'over-the-gap' };
    const dataSet = await settleDataSet(coordinator, tinyGlyphs);
    const waiting = await submit(coordinator);
    await jobIn(coordinator, waiting.id, 'waiting');
    const delayed = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }), key);
    const seen = await openEvents(coordinator, delayed.id);
    const firstEvent = await seen.next();

    await redis.goAway();
    for (const refused of [
      await send('/jobs', { json: waitingJob() }),
      await send('/jobs'),
      await send(`/jobs/${delayed.id}/cancel`, { method: 'POST' }),
      await send('/data-sets', { json: { ...tinyGlyphs, name: 'later' } }),
      await send(`/jobs/${delayed.id}/events`),
      await send('//health/ready'),
    ]) {
      expect(refused.headers.get('retry-after')).toBe('2');
      await expectProblem(refused, 503, 'STORE_UNAVAILABLE');
    }
    expect((await send('//health/live')).status).toBe(200);
    expect((await send('/workers')).status).toBe(200);
    const metrics = await send('//metrics');
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain('skipring_event_streams');
    // The reader of events reconnects; its stream is cut off or goes on, but never looks complete.
    seen.leave();

    await redis.come();
    await until('the coordinator is ready', async () =>
      (await send('//health/ready')).ok ? true : null,
    );
    expect(await (await send(`/data-sets/${tinyGlyphs.name}`)).json()).toEqual(dataSet);
    expect(await getJob(coordinator, waiting.id)).toMatchObject({ state: 'waiting', attempt: 1 });
    const again = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }), key);
    expect(again.id).toBe(delayed.id);
    const events = await openEvents(coordinator, delayed.id, firstEvent!.id);
    const cancelled = await send(`/jobs/${delayed.id}/cancel`, { method: 'POST' });
    expect(cancelled.status).toBe(200);
    expect(await events.rest()).toMatchObject([{ type: 'state', state: 'cancelled' }]);
    const next = await submit(coordinator);
    await jobIn(coordinator, next.id, 'waiting');
    const later = await settleDataSet(coordinator, { ...tinyGlyphs, name: 'later' });
    expect(later.state).toBe('ready');
  });
});

describe('a coordinator that starts', () => {
  it('without Redis says so instead of serving', async () => {
    const away = await RestartableRedis.start();
    await away.goAway();
    await expect(startCoordinator(away.url)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await away.remove();
  });
});
