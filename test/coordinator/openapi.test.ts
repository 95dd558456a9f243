import { API_PREFIX } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiContract, type ApiDocument } from '../support/api-contract.js';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type ApiRequest,
  type TestCoordinator,
} from '../support/coordinator.js';
import { FakeWorker } from '../support/fake-worker.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { trainOneStep } from '../support/train-one-step.js';
import { until } from '../support/until.js';

let redis: TestRedis;
let coordinator: TestCoordinator;
let contract: ApiContract;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, { takesFaults: true });
  const answer = await coordinator.send('/openapi.json');
  contract = new ApiContract((await answer.json()) as ApiDocument);
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

/** Sends a request and holds the answer against the document. */
async function ask(method: string, path: string, request: ApiRequest = {}): Promise<void> {
  const full = path.startsWith('//') ? path.slice(1) : API_PREFIX + path;
  await contract.check(method, full, await coordinator.send(path, { ...request, method }));
}

describe('what the document says', () => {
  it('is true of every success and of the common problems', async () => {
    await ask('GET', '//health/live');
    await ask('GET', '//health/ready');
    await ask('GET', '//metrics');
    await ask('POST', '/data-sets', { json: tinyGlyphs });
    await settleDataSet(coordinator, tinyGlyphs);
    await ask('POST', '/data-sets', { json: tinyGlyphs });
    await ask('POST', '/data-sets', { json: { ...tinyGlyphs, trainSamples: 30 } });
    await ask('GET', '/data-sets');
    await ask('GET', `/data-sets/${tinyGlyphs.name}`);
    await ask('GET', '/data-sets/none');
    for (const part of ['classes', 'samples?split=test', 'samples/test/9', 'samples/test/10']) {
      await ask('GET', `/data-sets/${tinyGlyphs.name}/${part}`);
      await ask('GET', `/data-sets/none/${part}`);
    }
    await ask('GET', `/data-sets/${tinyGlyphs.name}/samples?limit=0`);
    await ask('GET', `/data-sets/${tinyGlyphs.name}/samples/all/0`);
    await ask('GET', '/schemas/job');
    await ask('GET', '/schemas/sweep');

    const worker = await FakeWorker.join(coordinator.url, 'w1');
    await ask('GET', '/workers');
    await ask('GET', '/workers/w1');
    await ask('GET', '/workers/none');
    const trained = await trainOneStep(coordinator, worker);
    for (const part of [
      '',
      '/metrics',
      '/metrics?points=10&toStep=1',
      '/ranks?points=10',
      '/evaluations',
      '/layers',
      '/ledger',
      '/checkpoints',
      '/model',
      '/events',
    ]) {
      await ask('GET', `/jobs/${trained}${part}`);
      await ask('GET', `/jobs/job-0${part}`);
    }
    await ask('GET', `/jobs/${trained}/metrics?limit=0`);
    await ask('GET', `/jobs/${trained}/layers?points=0`);
    await ask('GET', `/jobs/${trained}/model/torch/model.safetensors`);
    // Its one tensor is not what the topology asks for.
    await ask('GET', `/jobs/${trained}/model/savedmodel/saved_model.pb`);
    await ask('GET', `/jobs/${trained}/model/torch/none`);
    await ask('GET', `/jobs/${trained}/model/onnx/model.onnx`);
    await ask('GET', `/jobs/job-0/model/torch/model.safetensors`);
    await ask('POST', `/jobs/${trained}/cancel`);
    await ask('POST', `/jobs/${trained}/resume`);
    await ask('POST', '/workers/w1/drain');
    await worker.next('released');
    await worker.leave();
    await until('the worker is gone', async () =>
      (await coordinator.send('/workers/w1')).status === 404 ? true : null,
    );

    const key = { 'idempotency-key': 'once' };
    const json = waitingJob({ delayMs: 3_600_000 });
    await ask('POST', '/jobs', { json, headers: key });
    await ask('POST', '/jobs', { json, headers: key });
    await ask('POST', '/jobs', { json: waitingJob(), headers: key });
    await ask('POST', '/jobs', { json: {} });
    await ask('POST', '/jobs', { body: '{' });
    await ask('POST', '/jobs', { body: 'a: 1', headers: { 'content-type': 'text/yaml' } });
    await ask('POST', '/jobs', { body: `"${'x'.repeat(300_000)}"` });
    await ask('GET', '/jobs');
    await ask('GET', '/jobs?limit=0');
    await ask('GET', '/jobs?view=summary&limit=10000');
    await ask('GET', '/jobs?limit=201');
    const { id } = await submit(coordinator);
    await until('the job is scheduled', async () => {
      const fault = { kind: 'fillDisk', step: 1 };
      const answer = await coordinator.send('/faults', { json: { jobId: id, fault } });
      return answer.ok ? true : null;
    });
    await ask('POST', '/faults', { json: { jobId: id, fault: { kind: 'fillDisk', step: 1 } } });
    await ask('POST', '/faults', { json: { jobId: 'job-0', fault: { kind: 'flood' } } });
    await ask('GET', '/faults');
    await ask('POST', '/faults/fault-1/cancel');
    await ask('POST', '/faults/fault-1/cancel');
    await ask('POST', '/faults/none/cancel');
    await ask('GET', `/jobs/${id}/model`);
    await ask('POST', `/jobs/${id}/pause`);
    await ask('POST', `/jobs/${id}/cancel`);
    await ask('POST', `/jobs/${id}/pause`);
    await ask('POST', `/jobs/${id}/cancel`);
    await ask('POST', `/jobs/${id}/resume`);
    await ask('POST', '/jobs/job-0/resume');

    const sweep = {
      apiVersion: 'skipring/v1',
      name: 's',
      job: { ...waitingJob(), apiVersion: undefined, name: undefined },
      parameters: { seed: { values: [1, 2] } },
      strategy: { kind: 'grid' },
    };
    const sweepKey = { 'idempotency-key': 'one-sweep' };
    await ask('POST', '/sweeps', { json: sweep, headers: sweepKey });
    await ask('POST', '/sweeps', { json: sweep, headers: sweepKey });
    await ask('POST', '/sweeps', { json: { ...sweep, parallel: 3 }, headers: sweepKey });
    await ask('POST', '/sweeps', { json: { ...sweep, job: {} } });
    await ask('GET', '/sweeps');
    const listed = (await (await coordinator.send('/sweeps')).json()) as {
      items: [{ id: string }];
    };
    await ask('GET', `/sweeps/${listed.items[0].id}`);
    await ask('GET', '/sweeps/sweep-0');
    await ask('POST', `/sweeps/${listed.items[0].id}/cancel`);
    await ask('POST', `/sweeps/${listed.items[0].id}/cancel`);
    await ask('GET', '/whoami');
    await ask('POST', '/tokens', { json: { name: 't', role: 'viewer' } });
    await ask('POST', '/tokens', { json: { name: 't', role: 'viewer' } });
    await ask('GET', '/tokens');
    await ask('GET', '/tokens/t');
    await ask('POST', '/tokens/t/rotate');
    await ask('POST', '/tokens/t/rotate', { json: { overlapMs: -1 } });
    await ask('DELETE', '/tokens/t');
    await ask('DELETE', '/tokens/t');
    const webhook = { name: 'w', url: 'https://example.org/hook' };
    await ask('POST', '/webhooks', { json: webhook });
    await ask('POST', '/webhooks', { json: webhook });
    await ask('POST', '/webhooks', { json: { ...webhook, url: 'http://127.0.0.1/' } });
    await ask('GET', '/webhooks');
    await ask('GET', '/webhooks/w/deliveries');
    await ask('GET', '/webhooks/none/deliveries');
    await ask('POST', '/webhooks/w/rotate');
    await ask('POST', '/webhooks/none/rotate');
    await ask('POST', '/webhooks/w/test');
    await ask('POST', '/webhooks/none/test');
    await ask('PATCH', '/webhooks/w', { json: { enabled: false } });
    await ask('PATCH', '/webhooks/w', { json: { enabled: 1 } });
    await ask('PATCH', '/webhooks/none', { json: { enabled: false } });
    await ask('PATCH', '/webhooks/w', { body: '{' });
    await ask('DELETE', '/webhooks/w');
    await ask('DELETE', '/webhooks/w');
    await ask('DELETE', `/jobs/${trained}`);
    await ask('DELETE', `/jobs/${trained}`);
    await ask('DELETE', `/jobs/${id}`);
    await ask('DELETE', `/data-sets/${tinyGlyphs.name}`);
    await settleDataSet(coordinator, { ...tinyGlyphs, name: 'unused' });
    await ask('DELETE', '/data-sets/unused');
    await ask('DELETE', '/data-sets/unused');
    await ask('GET', '/audit');
    await ask('GET', '/audit?limit=0');

    const unseen = contract.successes.filter((success) => !contract.seen.has(success));
    expect(unseen).toEqual([]);
  });

  it('would be found wrong: an answer with a field too many is refused', async () => {
    const live = JSON.stringify({ status: 'ok', more: 1 });
    const answer = new Response(live, { headers: { 'content-type': 'application/json' } });
    await expect(contract.check('GET', '/health/live', answer)).rejects.toThrow('more');
    const page = new Response('{"items":[{"id":1}]}', {
      headers: { 'content-type': 'application/json' },
    });
    await expect(contract.check('GET', `${API_PREFIX}/workers`, page)).rejects.toThrow('items');
  });
});

describe('a route that asks for a token', () => {
  it('answers without one as documented', async () => {
    const strict = await startCoordinator(redis.url, { apiToken: 'token-of-the-users' });
    try {
      for (const path of ['/jobs', '/data-sets', '/workers']) {
        await contract.check('GET', API_PREFIX + path, await strict.send(path));
      }
      await contract.check('GET', '/metrics', await strict.send('//metrics'));
      await contract.check('GET', '/health/live', await strict.send('//health/live'));
    } finally {
      await strict.close();
    }
  });
});
