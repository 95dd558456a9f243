import {
  closeConnection,
  connectForCommands,
  LeaderLease,
  type OtherLeader,
} from '@skipring/redis';
import { DEFAULT_RETENTION, RunStore } from '@skipring/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const TTL_MS = 500;

let redis: TestRedis;
let connection: ReturnType<typeof connectForCommands>;
let keyPrefix = '';
let numPrefixes = 0;
const held: LeaderLease[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  connection = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
});

beforeEach(() => {
  keyPrefix = `lease-${(numPrefixes += 1)}`;
});

afterAll(async () => {
  for (const lease of held) await lease.release();
  await closeConnection(connection);
  await redis.stop();
});

async function acquire(holder: string): Promise<LeaderLease | OtherLeader> {
  const lease = await LeaderLease.acquire({ redis: connection, keyPrefix, holder, ttlMs: TTL_MS });
  if (lease instanceof LeaderLease) held.push(lease);
  return lease;
}

async function lead(holder: string): Promise<LeaderLease> {
  const lease = await acquire(holder);
  if (!(lease instanceof LeaderLease)) throw new Error(`${lease.holder} leads`);
  return lease;
}

const token = (): Promise<string | null> => connection.get(`${keyPrefix}:leader`);
const isSettled = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), Promise.resolve(false)]);

describe('the lease of the leader', () => {
  it('is held by one, who renews it', async () => {
    const first = await lead('a process 1');
    expect(first.number).toBe(1);
    const renewed = await connection.pttl(`${keyPrefix}:leader`);
    for (const begin = Date.now(); Date.now() - begin < 2 * TTL_MS;) {
      expect(await acquire('b process 2')).toMatchObject({ holder: 'a process 1' });
    }
    expect(renewed).toBeGreaterThan(0);
    expect(await isSettled(first.lost)).toBe(false);
  });

  it('is free as soon as it is given up', async () => {
    await (await lead('a')).release();
    expect(await token()).toBeNull();
    expect((await lead('b')).number).toBe(2);
  });

  it('that ran out is renewed when nobody has led since', async () => {
    const first = await lead('a');
    await connection.del(`${keyPrefix}:leader`);
    await until('the lease is back', async () => ((await token()) === null ? null : true));
    expect(await isSettled(first.lost)).toBe(false);
  });

  it('is lost when another has led, also when that one has gone', async () => {
    const first = await lead('a');
    await connection.del(`${keyPrefix}:leader`);
    const second = await lead('b');
    await second.release();
    expect(await first.lost).toMatchObject({ code: 'LEADERSHIP_LOST' });
    // It must not give up what is not its own.
    const third = await lead('c');
    await first.release();
    expect(await token()).toMatch(/^c /);
    expect(third.number).toBe(3);
  });

  it('is lost with the data of Redis', async () => {
    const first = await lead('a');
    await connection.del(`${keyPrefix}:leader`, `${keyPrefix}:leader:number`);
    expect(await first.lost).toMatchObject({ code: 'LEADERSHIP_LOST' });
  });
});

describe('a store of a leader that was overtaken', () => {
  it('writes nothing more, and reads on', async () => {
    const first = await lead('a');
    const store = new RunStore(connection, keyPrefix, DEFAULT_RETENTION, first.number);
    expect(await store.nextAttempt('job')).toBe(1);
    await first.release();
    const second = await lead('b');
    const lost = { code: 'LEADERSHIP_LOST' };
    await expect(store.nextAttempt('job')).rejects.toMatchObject(lost);
    await expect(store.change('job', { fields: { reason: 'x' } })).rejects.toMatchObject(lost);
    expect(await store.get('job')).toBeNull();
    const next = new RunStore(connection, keyPrefix, DEFAULT_RETENTION, second.number);
    expect(await next.nextAttempt('job')).toBe(2);
    expect(await next.change('job', { fields: { reason: 'x' } })).toEqual({ outcome: 'missing' });
  });
});
