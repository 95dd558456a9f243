import { EntryPostponed, WorkQueue } from '@skipring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

let redis: TestRedis;
let numPrefixes = 0;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  for (const close of closers) await close();
  await redis.stop();
});

describe('work queue', () => {
  function newQueue(concurrency = 1): WorkQueue<string> {
    const queue = new WorkQueue<string>({
      url: redis.url,
      keyPrefix: `queue-${++numPrefixes}`,
      name: 'work',
      concurrency,
      onError: () => undefined,
    });
    closers.push(() => queue.close());
    return queue;
  }

  it('hands over each entry once, by priority, and forgets it', async () => {
    const queue = newQueue();
    await queue.add('low', 'low', { priority: 1 });
    await queue.add('high', 'high', { priority: 90 });
    await queue.add('high', 'again', { priority: 90 });
    expect(await queue.counts()).toEqual({ waiting: 2, active: 0, delayed: 0 });
    const seen: string[] = [];
    queue.start((data) => {
      seen.push(data);
      return Promise.resolve();
    });
    await until('both', () => (seen.length === 2 ? true : null));
    expect(seen).toEqual(['high', 'low']);
    await until('it is forgotten', async () => ((await queue.has('high')) ? null : true));
  });

  it('delays, and takes back what waits', async () => {
    const queue = newQueue();
    const seen: string[] = [];
    await queue.add('later', 'later', { delayMs: 3_600_000 });
    await queue.add('soon', 'soon', { delayMs: 50 });
    queue.start((data) => {
      seen.push(data);
      return Promise.resolve();
    });
    await until('the first', () => (seen.length === 1 ? true : null));
    expect(seen).toEqual(['soon']);
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
    expect(await queue.remove('later')).toBe(true);
    expect(await queue.has('later')).toBe(false);
  });

  it('tries a failed handler again', async () => {
    const queue = newQueue();
    let numTries = 0;
    queue.start(() => {
      numTries += 1;
      return numTries === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    });
    await queue.add('a', 'a');
    await until('the second try', () => (numTries === 2 ? true : null));
  });

  it('hands an entry over later that was put off, however often, and counts no try', async () => {
    const queue = newQueue();
    const NUM_TIMES = 30; // more than there are tries
    let numTimes = 0;
    queue.start(() => {
      numTimes += 1;
      return numTimes < NUM_TIMES ? Promise.reject(new EntryPostponed(1)) : Promise.resolve();
    });
    await queue.add('a', 'a');
    await until('the last time', () => (numTimes === NUM_TIMES ? true : null));
    await until('it is forgotten', async () => ((await queue.has('a')) ? null : true));
  });
});
