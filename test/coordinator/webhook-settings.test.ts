import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '@skipring/client';
import { webhookTestSchema, type DeliveryTry } from '@skipring/protocol';
import { closeConnection, connectForCommands } from '@skipring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
} from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { WebhookCoordinator } from '../support/webhook-coordinator.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const later = waitingJob({ delayMs: 3_600_000 });

let redis: TestRedis;
let coordinator: WebhookCoordinator;
let receiver: WebhookReceiver;
let store: ReturnType<typeof connectForCommands>;

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  redis = await startTestRedis();
  store = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
  coordinator = await WebhookCoordinator.start(redis.url, 'webhooks');
  await settleDataSet(coordinator.root, tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await closeConnection(store);
  await redis.stop();
  receiver.close();
});

describe('a test of a webhook', () => {
  it('sends a signed delivery at once and tells what became of it', async () => {
    const path = '/tested';
    const { secret } = await coordinator.register({
      name: 'tested',
      url: receiver.url + path,
      states: ['failed'],
    });
    receiver.answers.set(path, [204, 500]);
    const delivered = await coordinator.test('tested');
    expect(delivered).toMatchObject({ outcome: 'delivered', status: 204, error: null });
    expect(await coordinator.test('tested')).toMatchObject({
      ...{ outcome: 'failed', status: 500, error: 'the receiver answered with status 500' },
    });
    const [first] = receiver.arrivals.filter((one) => one.path === path);
    expect(first?.delivery).toMatchObject({ id: delivered.id, test: true, state: 'failed' });
    const signature = String(first?.headers['skipring-signature']);
    const body = first?.body ?? '';
    expect(await verifyWebhook({ secret, signature, body })).toEqual(first?.delivery);
    expect(await coordinator.tries('tested')).toEqual([]);
  });

  it('says in words why nobody answers', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await coordinator.register({ name: 'nobody', url: `http://127.0.0.1:${port}/` });
    expect(await coordinator.test('nobody')).toMatchObject({
      ...{ outcome: 'failed', status: null },
      error: 'nothing listens at this address (ECONNREFUSED)',
    });
    const unknown = await coordinator.root.send('/webhooks/none/test', { method: 'POST' });
    await expectProblem(unknown, 404, 'WEBHOOK_UNKNOWN');
  });
});

describe('a webhook that is disabled', () => {
  it('is told nothing, until it is enabled', async () => {
    const path = '/disabled';
    await coordinator.register({ name: 'disabled', url: receiver.url + path, states: ['pending'] });
    await coordinator.register({
      name: 'other',
      url: `${receiver.url}/other`,
      states: ['pending'],
    });
    const disabled = await coordinator.change('disabled', { enabled: false });
    expect(disabled).toMatchObject({ enabled: false, disabled: { reason: 'disabled by root' } });
    expect(await coordinator.change('disabled', { enabled: false })).toEqual(disabled);
    expect(await coordinator.change('disabled', { states: ['pending', 'failed'] })).toMatchObject({
      ...{ states: ['pending', 'failed'], enabled: false },
    });
    const missed = await submit(coordinator.root, later);
    await until('another webhook is told of it', () =>
      receiver.arrivals.some((one) => one.path === '/other' && one.delivery.jobId === missed.id)
        ? true
        : null,
    );

    expect(await coordinator.change('disabled', { enabled: true })).toMatchObject({
      ...{ enabled: true, disabled: null },
    });
    const { id } = await submit(coordinator.root, later);
    const told = await receiver.arrived(path, 'pending');
    expect(told.map(({ delivery }) => delivery.jobId)).toEqual([id]);
    expect(told.map(({ delivery }) => delivery.jobId)).not.toContain(missed.id);
  });

  it('is so by itself when its receiver has failed for a day, and begins anew', async () => {
    const path = '/dead';
    await coordinator.register({ name: 'dead', url: receiver.url + path, states: ['pending'] });
    const key = 'webhooks:webhook:dead:failures';
    const since = new Date(Date.now() - 25 * 3_600_000).toISOString();
    await store.hset(key, { count: 19, since });
    receiver.answers.set(path, [500]);
    await submit(coordinator.root, later);
    const { disabled } = await until('it is disabled', async () => {
      const view = await coordinator.view('dead');
      return view.enabled ? null : view;
    });
    expect(disabled?.reason).toBe(`20 tries in a row have failed since ${since}`);
    expect(await coordinator.change('dead', { enabled: true })).toMatchObject({ disabled: null });
    expect(await store.exists(key)).toBe(0);
  });

  it('forgets its failures when a delivery arrives', async () => {
    const path = '/back';
    await coordinator.register({ name: 'back', url: receiver.url + path, states: ['pending'] });
    await store.hset('webhooks:webhook:back:failures', { count: 5_000, since: '2026-01-01' });
    await submit(coordinator.root, later);
    await receiver.arrived(path, 'pending');
    await until('nothing is held against it', async () =>
      (await store.exists('webhooks:webhook:back:failures')) === 0 ? true : null,
    );
    expect(await coordinator.view('back')).toMatchObject({ enabled: true, disabled: null });
  });

  it.each([
    [{}, ''],
    [{ enabled: 'no' }, '/enabled'],
    [{ enabled: false, name: 'other' }, '/name'],
    [{ states: [] }, '/states'],
    [{ url: 'ftp://example.org/' }, '/url'],
  ])('is not changed by %j', async (json, field) => {
    const answer = await coordinator.root.send('/webhooks/back', { method: 'PATCH', json });
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
      const byName = {
        name: 'by-name',
        url: `${receiver.url.replace('127.0.0.1', 'localhost')}/name`,
      };
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
      expect(receiver.arrivals.some((one) => one.path === '/name')).toBe(false);
    } finally {
      await strict.close();
    }
  });

  it.each([
    ...['file:///etc/passwd', 'ftp://example.org/', 'javascript:alert(1)', 'example.org'],
    ...['http://user:secret@example.org/', 'https://example.org/#part', ''],
  ])('"%s" is refused', async (address) => {
    const json = { name: 'bad', url: address };
    const answer = await coordinator.root.send('/webhooks', { json });
    const { errors } = await expectProblem(answer, 422, 'REQUEST_INVALID');
    expect(errors?.[0]?.field).toBe('/url');
  });
});
