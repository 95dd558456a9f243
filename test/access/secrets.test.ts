import { SkipringClient } from '@skipring/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyGlyphs, waitingJob } from '../support/coordinator.js';
import {
  startCoordinatorProcess,
  type CoordinatorProcess,
} from '../support/coordinator-process.js';
import { FakeWorker, refusedUpgrade } from '../support/fake-worker.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const API_TOKEN = 'the-API-token-of-the-configuration';
const JOIN_TOKEN = 'the-join-token-of-the-configuration';
/** Sent where one must not be, by mistake. */
const STRAY = 'a-token-sent-by-mistake';

let redis: TestRedis;
let coordinator: CoordinatorProcess;
let root: SkipringClient;
/** By what each is. */
const secrets = new Map<string, string>([
  ['API token', API_TOKEN],
  ['join token', JOIN_TOKEN],
  ['stray token', STRAY],
]);
/** All that users could read. */
const answers: string[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  secrets.set('password of Redis', new URL(redis.url).password);
  coordinator = await startCoordinatorProcess(redis.url, {
    SKIPRING_API_TOKEN: API_TOKEN,
    SKIPRING_JOIN_TOKEN: JOIN_TOKEN,
    SKIPRING_LOG_LEVEL: 'debug',
  });
  root = new SkipringClient({ url: coordinator.url, token: API_TOKEN });
});
afterAll(async () => {
  await coordinator.stop();
  await redis.stop();
});

/** Any request, with its answer kept. */
async function ask(path: string, request: RequestInit = {}, token = API_TOKEN): Promise<void> {
  const answer = await fetch(`${coordinator.url}${path}`, {
    ...request,
    headers: { authorization: `Bearer ${token}`, ...request.headers },
  });
  answers.push(await answer.text());
}

const json = { 'content-type': 'application/json' };

async function useEverySecret(): Promise<void> {
  const made = await root.createToken({ name: 'ci', role: 'admin' });
  const rotated = await root.rotateToken('ci', 60_000);
  const webhook = await root.createWebhook({ name: 'chat', url: 'https://example.org/hook' });
  const again = await root.rotateWebhook('chat', 60_000);
  secrets.set('token', made.token).set('token after its rotation', rotated.token);
  secrets.set('secret of a webhook', webhook.secret).set('secret after', again.secret);

  for (const token of [made.token, rotated.token]) {
    await new SkipringClient({ url: coordinator.url, token }).submit(waitingJob());
  }
  await root.revokeToken('ci');
  for (const token of secrets.values()) {
    await ask('/api/v1/whoami', {}, token);
    await ask(`/api/v1/jobs?token=${token}`);
    await ask(`/api/v1/jobs/${token}`);
    await ask('/api/v1/jobs', { method: 'POST', headers: json, body: `{"token":"${token}"` });
    await refusedUpgrade(coordinator.url, `${token}x`);
  }
}

describe('secrets', () => {
  it('are in no log, error, event, metric, list or audit entry', async () => {
    await root.registerDataSet(tinyGlyphs);
    await useEverySecret();
    const worker = await FakeWorker.join(coordinator.url, 'w1', { token: JOIN_TOKEN });
    const { ringToken, fence } = await worker.enterGeneration();
    secrets.set('ring token', ringToken);
    const position = { step: 0, epoch: 0, cursor: 0 };
    const message = 'a peer is gone';
    worker.send({ type: 'aborted', fence, code: 'PEER_LOST', message, fatal: false, position });
    const next = await worker.enterGeneration();
    secrets.set('next ring token', next.ringToken);

    for (const path of ['jobs', 'tokens', 'webhooks', 'workers', 'audit', 'data-sets']) {
      await ask(`/api/v1/${path}`);
    }
    for (const part of ['', '/events?follow=false', '/ledger', '/checkpoints']) {
      await ask(`/api/v1/jobs/${fence.jobId}${part}`);
    }
    await ask('/metrics');
    await until('the audit entries', async () =>
      (await root.audit({ limit: 1_000 })).items.length >= 4 ? true : null,
    );
    await ask('/api/v1/audit?limit=1000');
    await worker.leave();
    coordinator.kill('SIGTERM');
    const { output, errors } = await coordinator.ended;
    expect(output).toContain('"jobId":"');
    expect(answers.join('\n')).toContain('REQUEST_INVALID');

    const said = `${output}\n${errors}`;
    for (const [name, secret] of secrets) {
      expect(secret.length, name).toBeGreaterThan(15);
      expect(said.includes(secret), `${name} is in the log`).toBe(false);
    }
  });

  it('are not echoed, but for what a sender put in a path or a field by itself', () => {
    for (const [name, secret] of secrets) {
      const echoes = answers.filter((answer) => answer.includes(secret));
      for (const echo of echoes) {
        expect(echo, name).toMatch(/"code":"(JOB_UNKNOWN|REQUEST_INVALID|BODY_NOT_JSON)"/);
      }
    }
  });
});
