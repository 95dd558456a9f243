import type { JobEvent } from '@skipring/protocol';
import { closeConnection, connectForCommands, RunStore } from '@skipring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { openEvents, type EventStream } from '../support/event-stream.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** More than two of the pages in which a stream reads the store. */
const NUM_LOGS = 450;
const MAX_STREAMS = 40;

let redis: TestRedis;
let connection: ReturnType<typeof connectForCommands>;
let coordinator: TestCoordinator;
let store: RunStore;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, { maxEventStreams: MAX_STREAMS });
  connection = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
  store = new RunStore(connection, coordinator.options.keyPrefix);
  await settleDataSet(coordinator, tinyGlyphs);
});

afterAll(async () => {
  await closeConnection(connection);
  await coordinator.close();
  await redis.stop();
});

async function cancel(id: string): Promise<void> {
  const response = await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
  expect(response.status).toBe(200);
  await response.text();
}

/** A cancelled job with a long history. */
async function endedJob(): Promise<string> {
  const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
  for (let index = 0; index < NUM_LOGS; index++) {
    const event = { type: 'log', level: 'info', message: String(index) } as const;
    await store.change(id, { event });
  }
  await cancel(id);
  return id;
}

const states = (events: readonly JobEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
const messages = (events: readonly JobEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'log' ? [Number(event.message)] : []));

async function take(stream: EventStream, count: number): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  while (events.length < count) {
    const event = await stream.next();
    if (event === null) throw new Error(`the stream ended after ${events.length} events`);
    events.push(event);
  }
  return events;
}

describe('a stream of events', () => {
  it('tells live what happens and ends when the job has ended', async () => {
    const { id } = await submit(coordinator);
    const stream = await openEvents(coordinator, id);
    expect(states(await take(stream, 2))).toEqual(['pending', 'waiting']);
    await cancel(id);
    expect(states(await stream.rest()).at(-1)).toBe('cancelled');
  });

  it('has every event once and in order', async () => {
    const id = await endedJob();
    const events = await (await openEvents(coordinator, id)).rest();
    expect(messages(events)).toEqual(Array.from({ length: NUM_LOGS }, (_, index) => index));
    expect(states(events)).toEqual(['pending', 'cancelled']);
    expect(events.every(({ jobId }) => jobId === id)).toBe(true);
  });

  it('goes on behind the last event of a reader that left, without loss or repeats', async () => {
    const id = await endedJob();
    const whole = await (await openEvents(coordinator, id)).rest();
    const pieces: JobEvent[] = [];
    for (const count of [1, 198, 3, 150]) {
      const stream = await openEvents(coordinator, id, pieces.at(-1)?.id);
      pieces.push(...(await take(stream, count)));
      stream.leave();
    }
    pieces.push(...(await (await openEvents(coordinator, id, pieces.at(-1)!.id)).rest()));
    expect(pieces).toEqual(whole);
  });

  it('of an ended job ends at once behind the last event', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    await cancel(id);
    const events = await (await openEvents(coordinator, id)).rest();
    const stream = await openEvents(coordinator, id, events.at(-1)!.id);
    expect(await stream.rest()).toEqual([]);
  });

  it('goes on with a job that is resumed', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    await cancel(id);
    const before = await (await openEvents(coordinator, id)).rest();
    await (await coordinator.send(`/jobs/${id}/resume`, { method: 'POST' })).text();
    const stream = await openEvents(coordinator, id, before.at(-1)!.id);
    expect(states(await take(stream, 2))).toEqual(['pending', 'waiting']);
    stream.leave();
  });

  it('may be followed by many readers at once, who see the same', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    const streams = await Promise.all(Array.from({ length: 8 }, () => openEvents(coordinator, id)));
    await cancel(id);
    const [first, ...others] = await Promise.all(streams.map((stream) => stream.rest()));
    expect(states(first!)).toEqual(['pending', 'cancelled']);
    for (const events of others) expect(events).toEqual(first);
  });

  it('ends when the coordinator stops, and goes on at the next one', async () => {
    const keyPrefix = 'stopping';
    const second = await startCoordinator(redis.url, { keyPrefix });
    await settleDataSet(second, tinyGlyphs);
    const job = await submit(second, waitingJob({ delayMs: 3_600_000 }));
    const stream = await openEvents(second, job.id);
    const seen = await take(stream, 1);
    await second.close();
    expect(await stream.rest()).toEqual([]);
    const third = await startCoordinator(redis.url, { keyPrefix });
    const next = await openEvents(third, job.id, seen[0]!.id);
    await (await third.send(`/jobs/${job.id}/cancel`, { method: 'POST' })).text();
    expect(states(await next.rest())).toEqual(['cancelled']);
    await third.close();
  });
});

describe('the number of event streams', () => {
  it('is limited, and a reader that leaves makes room', async () => {
    const { id } = await submit(coordinator, waitingJob({ delayMs: 3_600_000 }));
    const open = async (): Promise<number> => {
      const page = await (await coordinator.send('//metrics')).text();
      return Number(/^skipring_event_streams (\d+)$/m.exec(page)?.[1]);
    };
    await until('no stream is open', async () => ((await open()) === 0 ? true : null));
    const streams = await Promise.all(
      Array.from({ length: MAX_STREAMS }, () => openEvents(coordinator, id)),
    );
    const refused = await coordinator.send(`/jobs/${id}/events`);
    expect(refused.headers.get('retry-after')).toBe('5');
    await expectProblem(refused, 503, 'TOO_MANY_STREAMS');
    streams[0]!.leave();
    await until('a stream is closed', async () => ((await open()) < MAX_STREAMS ? true : null));
    const late = await openEvents(coordinator, id);
    expect(late.status).toBe(200);
    await cancel(id);
    expect(states(await late.rest())).toEqual(['pending', 'cancelled']);
  });
});
