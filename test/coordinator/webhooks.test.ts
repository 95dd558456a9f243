import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '@skipring/client';
import {
  deliverySchema,
  deliveryTrySchema,
  newTokenSchema,
  newWebhookSchema,
  webhookTestSchema,
  webhookViewSchema,
  type Delivery,
  type DeliveryTry,
  type NewWebhook,
  type WebhookChange,
  type WebhookTest,
  type WebhookView,
} from '@skipring/protocol';
import { closeConnection, connectForCommands } from '@skipring/redis';
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
let store: ReturnType<typeof connectForCommands>;
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
  store = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
  coordinator = await open('webhooks');
  await settleDataSet(asRoot(coordinator), tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await closeConnection(store);
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

async function tested(name: string): Promise<WebhookTest> {
  const answer = await asRoot(coordinator).send(`/webhooks/${name}/test`, { method: 'POST' });
  expect(answer.status).toBe(200);
  return webhookTestSchema.parse(await answer.json());
}

async function changed(name: string, json: WebhookChange): Promise<WebhookView> {
  const request = { method: 'PATCH', json };
  const answer = await asRoot(coordinator).send(`/webhooks/${name}`, request);
  expect(answer.status).toBe(200);
  return webhookViewSchema.parse(await answer.json());
}

async function viewOf(name: string): Promise<WebhookView> {
  const answer = await asRoot(coordinator).send('/webhooks');
  const { items } = (await answer.json()) as { items: unknown[] };
  const views = items.map((item) => webhookViewSchema.parse(item));
  return views.find((view) => view.name === name) ?? expect.fail(`no webhook ${name}`);
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
      ['/webhooks/of-root/test', 'POST'],
    ] as const) {
      await expectProblem(await coordinator.send(path, { method, headers: ci }), 403, 'FORBIDDEN');
    }
    const disable = { method: 'PATCH', json: { enabled: false }, headers: ci };
    const refused = await coordinator.send('/webhooks/of-root', disable);
    await expectProblem(refused, 403, 'FORBIDDEN');
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

describe('a test of a webhook', () => {
  it('sends a signed delivery at once and tells what became of it', async () => {
    const path = '/tested';
    const { secret } = await register({ name: 'tested', url: url + path, states: ['failed'] });
    answers.set(path, [204, 500]);
    const delivered = await tested('tested');
    expect(delivered).toMatchObject({ outcome: 'delivered', status: 204, error: null });
    expect(await tested('tested')).toMatchObject({
      ...{ outcome: 'failed', status: 500, error: 'the receiver answered with status 500' },
    });
    const [first] = arrivals.filter((one) => one.path === path);
    expect(first?.delivery).toMatchObject({ id: delivered.id, test: true, state: 'failed' });
    const signature = String(first?.headers['skipring-signature']);
    const body = first?.body ?? '';
    expect(await verifyWebhook({ secret, signature, body })).toEqual(first?.delivery);
    expect(await triesOf('tested')).toEqual([]);
  });

  it('says in words why nobody answers', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await register({ name: 'nobody', url: `http://127.0.0.1:${port}/` });
    expect(await tested('nobody')).toMatchObject({
      ...{ outcome: 'failed', status: null },
      error: 'nothing listens at this address (ECONNREFUSED)',
    });
    const unknown = await asRoot(coordinator).send('/webhooks/none/test', { method: 'POST' });
    await expectProblem(unknown, 404, 'WEBHOOK_UNKNOWN');
  });
});

describe('a webhook that is disabled', () => {
  it('is told nothing, until it is enabled', async () => {
    const path = '/disabled';
    await register({ name: 'disabled', url: url + path, states: ['pending'] });
    const disabled = await changed('disabled', { enabled: false });
    expect(disabled).toMatchObject({ enabled: false, disabled: { reason: 'disabled by root' } });
    expect(await changed('disabled', { enabled: false })).toEqual(disabled);
    expect(await changed('disabled', { states: ['pending', 'failed'] })).toMatchObject({
      ...{ states: ['pending', 'failed'], enabled: false },
    });
    const missed = await submit(asRoot(coordinator), later);
    await until('another webhook is told of it', () =>
      arrivals.some((one) => one.path === '/root' && one.delivery.jobId === missed.id)
        ? true
        : null,
    );

    expect(await changed('disabled', { enabled: true })).toMatchObject({
      ...{ enabled: true, disabled: null },
    });
    const { id } = await submit(asRoot(coordinator), later);
    const told = await arrived(path, 'pending');
    expect(told.map(({ delivery }) => delivery.jobId)).toEqual([id]);
    expect(told.map(({ delivery }) => delivery.jobId)).not.toContain(missed.id);
  });

  it('is so by itself when its receiver has failed for a day, and begins anew', async () => {
    const path = '/dead';
    await register({ name: 'dead', url: url + path, states: ['pending'] });
    const key = 'webhooks:webhook:dead:failures';
    const since = new Date(Date.now() - 25 * 3_600_000).toISOString();
    await store.hset(key, { count: 19, since });
    answers.set(path, [500]);
    await submit(asRoot(coordinator), later);
    const { disabled } = await until('it is disabled', async () => {
      const view = await viewOf('dead');
      return view.enabled ? null : view;
    });
    expect(disabled?.reason).toBe(`20 tries in a row have failed since ${since}`);
    expect(await changed('dead', { enabled: true })).toMatchObject({ disabled: null });
    expect(await store.exists(key)).toBe(0);
  });

  it('forgets its failures when a delivery arrives', async () => {
    const path = '/back';
    await register({ name: 'back', url: url + path, states: ['pending'] });
    await store.hset('webhooks:webhook:back:failures', { count: 5_000, since: '2026-01-01' });
    await submit(asRoot(coordinator), later);
    await arrived(path, 'pending');
    await until('nothing is held against it', async () =>
      (await store.exists('webhooks:webhook:back:failures')) === 0 ? true : null,
    );
    expect(await viewOf('back')).toMatchObject({ enabled: true, disabled: null });
  });

  it.each([
    [{}, ''],
    [{ enabled: 'no' }, '/enabled'],
    [{ enabled: false, name: 'other' }, '/name'],
    [{ states: [] }, '/states'],
    [{ url: 'ftp://example.org/' }, '/url'],
  ])('is not changed by %j', async (json, field) => {
    const answer = await asRoot(coordinator).send('/webhooks/back', { method: 'PATCH', json });
    const { errors } = await expectProblem(answer, 422, 'REQUEST_INVALID');
    expect(errors?.[0]?.field).toBe(field);
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
      await strict.send('/webhooks', { json: { name: 'moved', url: 'https://example.org/' } });
      const moved = { method: 'PATCH', json: { url: 'http://127.0.0.1/' } };
      const answer = await strict.send('/webhooks/moved', moved);
      await expectProblem(answer, 422, 'REQUEST_INVALID');
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
      const test = await strict.send('/webhooks/by-name/test', { method: 'POST' });
      const { outcome, error } = webhookTestSchema.parse(await test.json());
      expect(outcome).toBe('failed');
      expect(error).toMatch(/not public \(ADDRESS_PRIVATE\)$/);
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
