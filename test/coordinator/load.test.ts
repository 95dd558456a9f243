import { jobPageSchema } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { openEvents } from '../support/event-stream.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

const NUM_FOLLOWERS = 500;
const NUM_JOBS = 400;
/** Submitted at the same time. */
const TOGETHER = 50;
const PAGE = 150;
const later = waitingJob({ delayMs: 3_600_000 });

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

describe('a coordinator with much to do', () => {
  it(`tells ${NUM_FOLLOWERS} followers of a job all of its events`, async () => {
    const { id } = await submit(coordinator, later);
    const streams = await Promise.all(
      Array.from({ length: NUM_FOLLOWERS }, () => openEvents(coordinator, id)),
    );
    const cancelled = await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    expect(cancelled.status).toBe(200);
    const told = await Promise.all(streams.map((stream) => stream.rest()));
    const states = told.map((events) =>
      events.map((event) => (event.type === 'state' ? event.state : event.type)).join(),
    );
    expect(new Set(states)).toEqual(new Set(['pending,cancelled']));
  });

  it('loses no job of many that come at once, and lists each once, page by page', async () => {
    const made = new Set<string>();
    for (let first = 0; first < NUM_JOBS; first += TOGETHER) {
      const jobs = await Promise.all(
        Array.from({ length: TOGETHER }, () => submit(coordinator, later)),
      );
      for (const { id } of jobs) made.add(id);
    }
    expect(made.size).toBe(NUM_JOBS);
    const listed: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const path = `/jobs?state=pending&limit=${PAGE}${query}`;
      const answer = await coordinator.send(path);
      const page = jobPageSchema.parse(await answer.json());
      listed.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(listed).toHaveLength(NUM_JOBS);
    expect(new Set(listed)).toEqual(made);
  });
});
