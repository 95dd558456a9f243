import { verifyWebhook } from '@skipring/client';
import { newTokenSchema, newWebhookSchema } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleDataSet, submit, tinyGlyphs, waitingJob } from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { WebhookCoordinator } from '../support/webhook-coordinator.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const later = waitingJob({ delayMs: 3_600_000 });

let redis: TestRedis;
let coordinator: WebhookCoordinator;
let receiver: WebhookReceiver;

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  redis = await startTestRedis();
  coordinator = await WebhookCoordinator.start(redis.url, 'webhooks');
  await settleDataSet(coordinator.root, tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await redis.stop();
  receiver.close();
});

async function cancel(id: string): Promise<void> {
  const answer = await coordinator.root.send(`/jobs/${id}/cancel`, { method: 'POST' });
  expect(answer.status).toBe(200);
}

describe('a webhook', () => {
  it('is told of the states it asks for, signed, again until it takes them', async () => {
    const path = '/again';
    const { secret, ...view } = await coordinator.register({
      ...{ name: 'again', url: receiver.url + path, states: ['pending', 'cancelled'] },
    });
    const listed = await coordinator.root.send('/webhooks');
    expect(await listed.json()).toEqual({ items: [view] });

    receiver.answers.set(path, [500, 302]);
    const { id } = await submit(coordinator.root, later);
    const tries = await receiver.arrived(path, 'pending', 3);
    expect(new Set(tries.map(({ delivery }) => delivery.id)).size).toBe(1);
    expect(tries[2]?.delivery).toMatchObject({ jobId: id, jobName: 'waits', owner: 'root' });
    for (const { headers, body, delivery } of tries) {
      const signature = String(headers['skipring-signature']);
      expect(await verifyWebhook({ secret, signature, body })).toEqual(delivery);
      expect(headers['skipring-delivery']).toBe(delivery.id);
    }
    await cancel(id);
    await receiver.arrived(path, 'cancelled');
    const told = await until('4 tries are noted', async () => {
      const found = await coordinator.tries('again');
      return found.length === 4 ? found : null;
    });
    expect(told.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['delivered', 204],
      ['delivered', 204],
      ['failed', 302],
      ['failed', 500],
    ]);
    expect(receiver.arrivals.some((one) => one.path === '/elsewhere')).toBe(false);

    const removed = await coordinator.root.send('/webhooks/again', { method: 'DELETE' });
    expect(removed.status).toBe(204);
    await expectProblem(
      await coordinator.root.send('/webhooks/again/deliveries'),
      404,
      'WEBHOOK_UNKNOWN',
    );
  });

  it('of a submitter is told of its own jobs alone, and seen by it and by admins alone', async () => {
    const made = await coordinator.root.send('/tokens', {
      json: { name: 'ci', role: 'submitter' },
    });
    const { token } = newTokenSchema.parse(await made.json());
    const ci = { authorization: `Bearer ${token}` };
    await coordinator.register({
      name: 'of-root',
      url: `${receiver.url}/root`,
      states: ['pending'],
    });
    await coordinator.register(
      { name: 'of-ci', url: `${receiver.url}/ci`, states: ['pending'] },
      ci,
    );

    await submit(coordinator.root, later);
    const own = await submit(coordinator.api, later, ci);
    await receiver.arrived('/root', 'pending', 2);
    const [first, ...others] = await receiver.arrived('/ci', 'pending');
    expect(first?.delivery).toMatchObject({ jobId: own.id, owner: 'ci' });
    expect(others).toEqual([]);

    const seen = await coordinator.api.send('/webhooks', { headers: ci });
    expect(((await seen.json()) as { items: { name: string }[] }).items).toMatchObject([
      { name: 'of-ci' },
    ]);
    for (const [path, method] of [
      ['/webhooks/of-root', 'DELETE'],
      ['/webhooks/of-root/rotate', 'POST'],
      ['/webhooks/of-root/deliveries', 'GET'],
      ['/webhooks/of-root/test', 'POST'],
    ] as const) {
      await expectProblem(
        await coordinator.api.send(path, { method, headers: ci }),
        403,
        'FORBIDDEN',
      );
    }
    const disable = { method: 'PATCH', json: { enabled: false }, headers: ci };
    const refused = await coordinator.api.send('/webhooks/of-root', disable);
    await expectProblem(refused, 403, 'FORBIDDEN');
    const again = await coordinator.api.send('/webhooks', {
      json: { name: 'of-ci', url: receiver.url },
      headers: ci,
    });
    await expectProblem(again, 409, 'WEBHOOK_EXISTS');
  });

  it('has a new secret after a rotation; the old one signs beside it for the overlap', async () => {
    const path = '/rotated';
    const before = await coordinator.register({
      name: 'rotated',
      url: receiver.url + path,
      states: ['pending'],
    });
    const answer = await coordinator.root.send('/webhooks/rotated/rotate', {
      json: { overlapMs: 60_000 },
    });
    const after = newWebhookSchema.parse(await answer.json());
    expect(after.secret).not.toBe(before.secret);
    await submit(coordinator.root, later);
    const [{ headers, body } = expect.fail()] = await receiver.arrived(path, 'pending');
    const signature = String(headers['skipring-signature']);
    for (const { secret } of [before, after]) {
      expect(await verifyWebhook({ secret, signature, body })).toBeDefined();
    }
    await coordinator.root.send('/webhooks/rotated/rotate', { method: 'POST' });
    await submit(coordinator.root, later);
    const last = (await receiver.arrived(path, 'pending', 2))[1]!;
    await expect(
      verifyWebhook({
        ...{ secret: after.secret, body: last.body },
        signature: String(last.headers['skipring-signature']),
      }),
    ).rejects.toMatchObject({ code: 'SIGNATURE_WRONG' });
  });

  it('is told by the next coordinator of what the last one did not come to', async () => {
    const path = '/later';
    await coordinator.register({ name: 'later', url: receiver.url + path });
    receiver.answers.set(path, [503, 503]);
    const { id } = await submit(coordinator.root, later);
    await cancel(id);
    // It may be cut off before the change is read, before it is queued, or between two tries.
    await coordinator.close();
    coordinator = await WebhookCoordinator.start(redis.url, 'webhooks');
    const told = await until('a receiver that was away is told', () => {
      const found = receiver.arrivals.filter(
        (one) => one.path === path && one.delivery.jobId === id,
      );
      return found.length >= 3 ? found : null;
    });
    expect(new Set(told.map(({ delivery }) => delivery.id)).size).toBe(1);
  });
});
