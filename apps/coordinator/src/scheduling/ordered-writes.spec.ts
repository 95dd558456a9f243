import { StoreError } from '@skipring/redis';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OrderedWrites } from './ordered-writes.js';
import { gate } from './testing/memory-store.js';

const away = (): StoreError => new StoreError('STORE_UNAVAILABLE', 'away');
const deadlineMs = 5_000;
let writes: OrderedWrites;
let logged: Record<string, unknown>[];

beforeEach(() => {
  vi.useFakeTimers();
  logged = [];
  const log = pino(
    {},
    { write: (line: string) => logged.push(JSON.parse(line) as Record<string, unknown>) },
  );
  writes = new OrderedWrites(log);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('writes of one job', () => {
  it('are carried out one after the other, in their order', async () => {
    const done: string[] = [];
    const first = gate();
    writes.add('a', async () => {
      await first.opened;
      done.push('first');
    });
    writes.add('a', () => Promise.resolve(void done.push('second')));
    const third = writes.run('a', () => Promise.resolve(done.push('third')));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toEqual([]);
    first.open();
    expect(await third).toBe(3);
    expect(done).toEqual(['first', 'second', 'third']);
  });

  it('do not wait for those of another', async () => {
    const never = gate();
    writes.add('a', () => never.opened);
    expect(await writes.run('b', () => Promise.resolve('b'))).toBe('b');
    expect(await writes.settled('b', deadlineMs)).toBe(true);
  });

  it('go on behind one that fails', async () => {
    const failing = writes.run('a', () => Promise.reject(new Error('refused for good')));
    const next = writes.run('a', () => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('refused for good');
    expect(await next).toBe('next');
    writes.add('a', () => Promise.reject(new Error('told to nobody')));
    await writes.settled('a', deadlineMs);
    expect(logged).toMatchObject([{ jobId: 'a', err: { message: 'told to nobody' } }]);
  });

  it('are tried again while the store is away, and keep their order', async () => {
    const done: string[] = [];
    let numTries = 0;
    writes.add('a', () => {
      numTries += 1;
      if (numTries <= 4) return Promise.reject(away());
      done.push('first');
      return Promise.resolve();
    });
    writes.add('a', () => Promise.resolve(void done.push('second')));
    // The pauses double: 100, 200, 400 and 800 ms.
    await vi.advanceTimersByTimeAsync(1_499);
    expect({ numTries, done }).toEqual({ numTries: 4, done: [] });
    await vi.advanceTimersByTimeAsync(1);
    expect({ numTries, done }).toEqual({ numTries: 5, done: ['first', 'second'] });
  });

  it('pause for two seconds at most', async () => {
    let numTries = 0;
    writes.add('a', () => {
      numTries += 1;
      return Promise.reject(away());
    });
    await vi.advanceTimersByTimeAsync(60_000);
    const before = numTries;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(numTries - before).toBe(10);
  });
});

describe('whether writes have settled', () => {
  it('is yes once all that were added have ended', async () => {
    const first = gate();
    writes.add('a', () => first.opened);
    const settled = writes.settled('a', deadlineMs);
    first.open();
    expect(await settled).toBe(true);
    expect(await writes.settled('a', 0)).toBe(true);
  });

  it('is no at the deadline', async () => {
    const never = gate();
    writes.add('a', () => never.opened);
    const settled = writes.settled('a', deadlineMs);
    await vi.advanceTimersByTimeAsync(deadlineMs);
    expect(await settled).toBe(false);
  });
});

describe('closing', () => {
  it('waits for what was added', async () => {
    const first = gate();
    const done: string[] = [];
    writes.add('a', () => first.opened);
    writes.add('a', () => Promise.resolve(void done.push('a')));
    writes.add('b', () => Promise.resolve(void done.push('b')));
    const closed = writes.close(deadlineMs);
    first.open();
    await closed;
    expect(done).toEqual(['b', 'a']);
  });

  it('ends at the deadline, however many writes wait for a store that is away', async () => {
    const tries = new Map<number, number>();
    for (let index = 0; index < 1_000; index++) {
      writes.add('a', () => {
        tries.set(index, (tries.get(index) ?? 0) + 1);
        return Promise.reject(away());
      });
    }
    let isClosed = false;
    void writes.close(deadlineMs).then(() => (isClosed = true));
    await vi.advanceTimersByTimeAsync(deadlineMs);
    expect(isClosed).toBe(true);
    expect([...tries.keys()]).toEqual([0]);
    expect(logged.filter(({ level }) => level === 50)).toHaveLength(1_000);
    await expect(writes.run('b', () => Promise.resolve())).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});

describe('a backlog', () => {
  it('drops metrics when it is full, and nothing else', async () => {
    const first = gate();
    let numMetrics = 0;
    let numOthers = 0;
    const metric = (): Promise<void> => Promise.resolve(void (numMetrics += 1));
    writes.add('a', () => first.opened);
    for (let index = 0; index < 50_010; index++) writes.add('a', metric, { isMetric: true });
    writes.add('a', () => Promise.resolve(void (numOthers += 1)));
    first.open();
    await writes.settled('a', deadlineMs);
    expect({ numMetrics, numOthers }).toEqual({ numMetrics: 49_999, numOthers: 1 });
    writes.add('a', metric, { isMetric: true });
    await writes.settled('a', deadlineMs);
    expect(numMetrics).toBe(50_000);
  });
});
