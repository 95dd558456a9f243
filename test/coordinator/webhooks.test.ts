import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '@skipring/client';
import {
  deliverySchema,
  deliveryTrySchema,
  newTokenSchema,
  newWebhookSchema,
  type Delivery,
  type DeliveryTry,
  type NewWebhook,
} from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

interface Arrival {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly delivery: Delivery;
}

const API_TOKEN = 'the-token-of-the-configuration';
const root = { authorization: `Bearer ${API_TOKEN}` };
const later = waitingJob({ delayMs: 3_600_000 });

let redis: TestRedis;
let coordinator: TestCoordinator;
let receiver: Server;
let url: string;
/** What the receiver answers next at a path; 204 when nothing is left. */
const answers = new Map<string, number[]>();
const arrivals: Arrival[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { url: path = '', headers } = request;
      const delivery = deliverySchema.parse(JSON.parse(body));
      arrivals.push({ path, headers, body, delivery });
      const location = `${url}/elsewhere`;
      response.writeHead(answers.get(path)?.shift() ?? 204, { location }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  redis = await startTestRedis();
  coordinator = await open('webhooks');
  await settleDataSet(asRoot(coordinator), tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await redis.stop();
  receiver.closeAllConnections();
  receiver.close();
});

function open(keyPrefix: string): Promise<TestCoordinator> {
  return startCoordinator(redis.url, {
    ...{ keyPrefix, apiToken: API_TOKEN, joinToken: API_TOKEN, webhooksPrivate: true },
  });
}

/** Sends with the token of the configuration unless another is given. */
function asRoot(given: TestCoordinator): TestCoordinator {
  const send: TestCoordinator['send'] = (path, request = {}) =>
    given.send(path, { ...request, headers: { ...root, ...request.headers } });
  return { ...given, send };
}

async function register(json: object, headers = root): Promise<NewWebhook> {
  const answer = await coordinator.send('/webhooks', { json, headers });
  expect(answer.status).toBe(201);
  return newWebhookSchema.parse(await answer.json());
}

async function triesOf(name: string): Promise<DeliveryTry[]> {
  const answer = await asRoot(coordinator).send(`/webhooks/${name}/deliveries`);
  const { items } = (await answer.json()) as { items: unknown[] };
  return items.map((item) => deliveryTrySchema.parse(item));
}

function arrived(path: string, state: string, count = 1): Promise<Arrival[]> {
  return until(`${count} deliveries of ${state} at ${path}`, () => {
    const found = arrivals.filter((one) => one.path === path && one.delivery.state === state);
    return found.length >= count ? found : null;
  });
}

async function cancel(id: string): Promise<void> {
  const answer = await asRoot(coordinator).send(`/jobs/${id}/cancel`, { method: 'POST' });
  expect(answer.status).toBe(200);
}

describe('a webhook', () => {
  it('is told of the states it asks for, signed, again until it takes them', async () => {
    const path = '/again';
    const { secret, ...view } = await register({
      ...{ name: 'again', url: url + path, states: ['pending', 'cancelled'] },
    });
    const listed = await asRoot(coordinator).send('/webhooks');
    expect(await listed.json()).toEqual({ items: [view] });

    answers.set(path, [500, 302]);
    const { id } = await submit(asRoot(coordinator), later);
    const tries = await arrived(path, 'pending', 3);
    expect(new Set(tries.map(({ delivery }) => delivery.id)).size).toBe(1);
    expect(tries[2]?.delivery).toMatchObject({ jobId: id, jobName: 'waits', owner: 'root' });
    for (const { headers, body, delivery } of tries) {
      const signature = String(headers['skipring-signature']);
      expect(await verifyWebhook({ secret, signature, body })).toEqual(delivery);
      expect(headers['skipring-delivery']).toBe(delivery.id);
    }
    await cancel(id);
    await arrived(path, 'cancelled');
    const told = await until('4 tries are noted', async () => {
      const found = await triesOf('again');
      return found.length === 4 ? found : null;
    });
    expect(told.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['delivered', 204],
      ['delivered', 204],
      ['failed', 302],
      ['failed', 500],
    ]);
    expect(arrivals.some((one) => one.path === '/elsewhere')).toBe(false);

    const removed = await asRoot(coordinator).send('/webhooks/again', { method: 'DELETE' });
    expect(removed.status).toBe(204);
    await expectProblem(
      await asRoot(coordinator).send('/webhooks/again/deliveries'),
      404,
      'WEBHOOK_UNKNOWN',
    );
  });

  it('of a submitter is told of its own jobs alone, and seen by it and by admins alone', async () => {
    const made = await asRoot(coordinator).send('/tokens', {
      json: { name: 'ci', role: 'submitter' },
    });
    const { token } = newTokenSchema.parse(await made.json());
    const ci = { authorization: `Bearer ${token}` };
    await register({ name: 'of-root', url: `${url}/root`, states: ['pending'] });
    await register({ name: 'of-ci', url: `${url}/ci`, states: ['pending'] }, ci);

    await submit(asRoot(coordinator), later);
    const own = await submit(coordinator, later, ci);
    await arrived('/root', 'pending', 2);
    const [first, ...others] = await arrived('/ci', 'pending');
    expect(first?.delivery).toMatchObject({ jobId: own.id, owner: 'ci' });
    expect(others).toEqual([]);

    const seen = await coordinator.send('/webhooks', { headers: ci });
    expect(((await seen.json()) as { items: { name: string }[] }).items).toMatchObject([
      { name: 'of-ci' },
    ]);
    for (const [path, method] of [
      ['/webhooks/of-root', 'DELETE'],
      ['/webhooks/of-root/rotate', 'POST'],
      ['/webhooks/of-root/deliveries', 'GET'],
    ] as const) {
      await expectProblem(await coordinator.send(path, { method, headers: ci }), 403, 'FORBIDDEN');
    }
    const again = await coordinator.send('/webhooks', {
      json: { name: 'of-ci', url },
      headers: ci,
    });
    await expectProblem(again, 409, 'WEBHOOK_EXISTS');
  });

  it('has a new secret after a rotation; the old one signs beside it for the overlap', async () => {
    const path = '/rotated';
    const before = await register({ name: 'rotated', url: url + path, states: ['pending'] });
    const answer = await asRoot(coordinator).send('/webhooks/rotated/rotate', {
      json: { overlapMs: 60_000 },
    });
    const after = newWebhookSchema.parse(await answer.json());
    expect(after.secret).not.toBe(before.secret);
    await submit(asRoot(coordinator), later);
    const [{ headers, body } = expect.fail()] = await arrived(path, 'pending');
    const signature = String(headers['skipring-signature']);
    for (const { secret } of [before, after]) {
      expect(await verifyWebhook({ secret, signature, body })).toBeDefined();
    }
    await asRoot(coordinator).send('/webhooks/rotated/rotate', { method: 'POST' });
    await submit(asRoot(coordinator), later);
    const last = (await arrived(path, 'pending', 2))[1]!;
    await expect(
      verifyWebhook({
        ...{ secret: after.secret, body: last.body },
        signature: String(last.headers['skipring-signature']),
      }),
    ).rejects.toMatchObject({ code: 'SIGNATURE_WRONG' });
  });

  it('is told by the next coordinator of what the last one did not come to', async () => {
    const path = '/later';
    await register({ name: 'later', url: url + path });
    answers.set(path, [503, 503]);
    const { id } = await submit(asRoot(coordinator), later);
    await cancel(id);
    // It may be cut off before the change is read, before it is queued, or between two tries.
    await coordinator.close();
    coordinator = await open('webhooks');
    const told = await until('a receiver that was away is told', () => {
      const found = arrivals.filter((one) => one.path === path && one.delivery.jobId === id);
      return found.length >= 3 ? found : null;
    });
    expect(new Set(told.map(({ delivery }) => delivery.id)).size).toBe(1);
  });
});

describe('an address', () => {
  it('of a private network is refused unless the configuration allows it', async () => {
    const strict = await startCoordinator(redis.url);
    try {
      for (const host of ['127.0.0.1', '10.0.0.8', '169.254.169.254', '[::1]', '0x7f.1']) {
        const json = { name: 'inside', url: `http://${host}/` };
        const answer = await strict.send('/webhooks', { json });
        const { errors } = await expectProblem(answer, 422, 'REQUEST_INVALID');
        expect(errors?.[0]?.field).toBe('/url');
      }
      // A name is resolved when it is called, so that it can't be changed in between.
      const byName = { name: 'by-name', url: `${url.replace('127.0.0.1', 'localhost')}/name` };
      await strict.send('/webhooks', { json: { ...byName, states: ['pending'] } });
      await settleDataSet(strict, tinyGlyphs);
      await submit(strict, later);
      const [tried] = await until('a try is noted', async () => {
        const answer = await strict.send('/webhooks/by-name/deliveries');
        const { items } = (await answer.json()) as { items: DeliveryTry[] };
        return items.length === 0 ? null : items;
      });
      expect(tried).toMatchObject({ outcome: 'failed', status: null });
      expect(tried?.error).toContain('not public');
      expect(arrivals.some((one) => one.path === '/name')).toBe(false);
    } finally {
      await strict.close();
    }
  });

  it.each([
    ...['file:///etc/passwd', 'ftp://example.org/', 'javascript:alert(1)', 'example.org'],
    ...['http://user:secret@example.org/', 'https://example.org/#part', ''],
  ])('"%s" is refused', async (address) => {
    const json = { name: 'bad', url: address };
    const answer = await asRoot(coordinator).send('/webhooks', { json });
    const { errors } = await expectProblem(answer, 422, 'REQUEST_INVALID');
    expect(errors?.[0]?.field).toBe('/url');
  });
});
