import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SkipringClient } from '@skipring/client';
import { deliverySchema, type JobView } from '@skipring/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyGlyphs, waitingJob } from '../support/coordinator.js';
import {
  startCoordinatorProcess,
  type CoordinatorProcess,
} from '../support/coordinator-process.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const MAX_IN_FLIGHT = 4;
const settings = { SKIPRING_WEBHOOKS_PRIVATE: '1' };
const later = waitingJob({ delayMs: 3_600_000 });

/** A receiver that holds what arrives until it is told to answer. */
class SlowReceiver {
  readonly arrived: string[] = [];
  numMost = 0;
  status = 204;
  isHolding = true;
  private readonly held = new Set<ServerResponse>();

  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      this.arrived.push(deliverySchema.parse(JSON.parse(body)).jobId);
      this.held.add(response);
      this.numMost = Math.max(this.numMost, this.held.size);
      response.on('close', () => this.held.delete(response));
      if (!this.isHolding) this.answer();
    });
  });

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  answer(): void {
    for (const response of this.held) response.writeHead(this.status).end();
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let redis: TestRedis;
let coordinator: CoordinatorProcess;
let client: SkipringClient;
let slow: SlowReceiver;
let slowUrl: string;

beforeAll(async () => {
  redis = await startTestRedis();
  await open();
  await client.registerDataSet(tinyGlyphs);
});
afterAll(async () => {
  await coordinator.stop();
  await redis.stop();
});
beforeEach(async () => {
  slow = new SlowReceiver();
  slowUrl = await slow.start();
});
afterEach(() => {
  slow.stop();
});

async function open(): Promise<void> {
  coordinator = await startCoordinatorProcess(redis.url, settings);
  client = new SkipringClient({ url: coordinator.url, token: null });
}

describe('a receiver', () => {
  it('that is slow is called by a few at a time, and keeps no other waiting', async () => {
    const quick = new SlowReceiver();
    quick.isHolding = false;
    const quickUrl = await quick.start();
    try {
      await client.createWebhook({ name: 'slow', url: slowUrl, states: ['pending'] });
      await client.createWebhook({ name: 'same', url: `${slowUrl}too`, states: ['pending'] });
      await client.createWebhook({ name: 'quick', url: quickUrl, states: ['pending'] });
      const jobs: JobView[] = [];
      for (let index = 0; index < 20; index += 1) jobs.push(await client.submit(later));
      const ids = jobs.map(({ id }) => id).sort();
      // The quick one has all of them while the slow one has answered none.
      await until('all at the quick one', () => (quick.arrived.length >= 20 ? true : null));
      expect([...new Set(quick.arrived)].sort()).toEqual(ids);
      expect(slow.numMost).toBe(MAX_IN_FLIGHT);
      slow.isHolding = false;
      slow.answer();
      await until('all at the slow one', () => (slow.arrived.length >= 40 ? true : null));
      expect([...new Set(slow.arrived)].sort()).toEqual(ids);
      expect(slow.numMost).toBe(MAX_IN_FLIGHT);
    } finally {
      quick.stop();
      for (const name of ['slow', 'same', 'quick']) await client.deleteWebhook(name);
    }
  });

  it('that was away is told after the coordinator was killed and another one started', async () => {
    slow.isHolding = false;
    slow.status = 503;
    await client.createWebhook({ name: 'away', url: slowUrl, states: ['pending'] });
    const { id } = await client.submit(later);
    await until('a try that fails', async () => {
      const tries = await client.deliveries('away');
      return tries.some(({ outcome }) => outcome === 'failed') ? true : null;
    });
    const unread = await client.submit(later);
    coordinator.kill('SIGKILL');
    await coordinator.ended;
    await coordinator.stop();
    const numBefore = slow.arrived.length;
    slow.status = 204;
    await open();
    await until('both changes', () => {
      const told = slow.arrived.slice(numBefore);
      return told.includes(id) && told.includes(unread.id) ? true : null;
    });
    const delivered = await until('the deliveries are noted', async () => {
      const tries = await client.deliveries('away');
      const taken = tries.filter(({ outcome }) => outcome === 'delivered');
      return taken.length >= 2 ? taken : null;
    });
    expect(new Set(delivered.map(({ jobId }) => jobId))).toEqual(new Set([id, unread.id]));
  });
});
