import { GATEWAY_PATH, PROTOCOL_VERSION, type Fence, type WorkerMessage } from '@skipring/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  jobIn,
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  type TestCoordinator,
} from '../support/coordinator.js';
import { FakeWorker, helloOf, refusedUpgrade } from '../support/fake-worker.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const apiToken = 'api-token-of-the-users';
const joinToken = 'join-token-of-workers';
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

let redis: TestRedis;
let coordinator: TestCoordinator;
let url: string;
const joined: FakeWorker[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = asUser(await startCoordinator(redis.url, { apiToken, joinToken }));
  url = coordinator.url;
  await settleDataSet(coordinator, tinyGlyphs);
});

afterEach(async () => {
  await Promise.all(joined.splice(0).map((worker) => worker.leave()));
  await until('no worker is connected', async () => ((await workers()).length === 0 ? true : null));
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

/** The same coordinator, with the token of users on every request that has none. */
function asUser(open: TestCoordinator): TestCoordinator {
  const authorization = `Bearer ${apiToken}`;
  return {
    ...open,
    send: (path, { headers, ...request } = {}) =>
      open.send(path, { ...request, headers: { authorization, ...headers } }),
  };
}

async function join(workerId: string, isSilent = false): Promise<FakeWorker> {
  const worker = await FakeWorker.join(url, workerId, { token: joinToken, isSilent });
  joined.push(worker);
  return worker;
}

async function workers(): Promise<{ id: string; state: string }[]> {
  const answer = await coordinator.send('/workers');
  return ((await answer.json()) as { items: { id: string; state: string }[] }).items;
}

async function stepsOf(jobId: string): Promise<{ step: number; loss: number }[]> {
  const answer = await coordinator.send(`/jobs/${jobId}/metrics`);
  return ((await answer.json()) as { items: { step: number; loss: number }[] }).items;
}

function stepReport(fence: Fence, step: number, loss: number): WorkerMessage {
  return {
    type: 'step',
    fence,
    rank: 0,
    step,
    parts: { dataWaitMs: 1, computeMs: 2, ringMs: 3, commitMs: 4, applyMs: 5 },
    ringBytes: 100,
    samples: 8,
    metrics: {
      step,
      epoch: 0,
      cursor: 8 * step,
      loss,
      accuracy: 0.5,
      learningRate: 0.1,
      samples: 8,
      stepMs: 15,
    },
    stateHash: null,
  };
}

describe('a connection of a worker', () => {
  it.each([
    ['without a token', undefined],
    ['with another token', 'join-token-of-workerz'],
    ['with the token of users', apiToken],
  ])('%s is refused before it is one', async (_, token) => {
    const problem = await expectProblem(await refusedUpgrade(url, token), 401, 'UNAUTHORIZED');
    expect(problem.detail).toContain('join token');
  });

  it('to another path is refused', async () => {
    const answer = await refusedUpgrade(url, joinToken, `${GATEWAY_PATH}/more`);
    await expectProblem(answer, 404, 'ROUTE_UNKNOWN');
  });

  it('with the token is welcomed, and the worker is listed', async () => {
    await join('w1');
    const [worker] = await workers();
    expect(worker).toMatchObject({ id: 'w1', state: 'idle', device: { name: 'fake' }, threads: 1 });
  });

  it.each([
    ['another protocol version', JSON.stringify({ ...helloOf('w1'), protocolVersion: 99 })],
    ['no hello', JSON.stringify({ type: 'heartbeat', computeSilentMs: 0 })],
    ['what is not JSON', '{"type": '],
    ['null', 'null'],
    ['bytes', Uint8Array.from(Buffer.from(JSON.stringify(helloOf('w1'))))],
  ])('that begins with %s is told so and closed', async (_, data) => {
    const worker = await FakeWorker.open(url, joinToken);
    worker.sendRaw(data);
    expect(await worker.closed).toMatchObject({ code: 1002 });
    expect(worker.messages).toEqual([
      {
        type: 'refused',
        code: 'PROTOCOL_VERSION',
        message: `the first message must be a hello of protocol version ${PROTOCOL_VERSION}`,
      },
    ]);
    expect(await workers()).toEqual([]);
  });

  it('whose hello has a wrong field is told which', async () => {
    const worker = await FakeWorker.open(url, joinToken);
    worker.sendRaw(JSON.stringify({ ...helloOf('w1'), threads: 0 }));
    expect(await worker.closed).toMatchObject({ code: 1007 });
    expect(worker.messages).toMatchObject([{ type: 'refused', code: 'MESSAGE_INVALID' }]);
    expect(worker.messages).toMatchObject([
      { message: expect.stringContaining('/threads') as string },
    ]);
    expect(await workers()).toEqual([]);
  });

  it('that says nothing is closed', async () => {
    const worker = await FakeWorker.open(url, joinToken);
    expect(await worker.closed).toEqual({ code: 1008, reason: 'no hello in time' });
  });

  it('of a worker that is connected already takes its place', async () => {
    const older = await join('w1');
    const newer = await join('w1');
    expect(await older.closed).toEqual({ code: 1008, reason: 'the worker connected anew' });
    expect(await workers()).toMatchObject([{ id: 'w1', state: 'idle' }]);
    await coordinator.send('/workers/w1/drain', { method: 'POST' });
    await newer.next('released');
  });
});

describe('a worker', () => {
  it.each([
    ['what is not JSON', 'heartbeat', 1007],
    ['a message of no known type', '{"type":"hi"}', 1007],
    ['a field that is not in the schema', '{"type":"leave","reason":"x","by":"me"}', 1007],
    [
      'a step of a fence that can not be',
      JSON.stringify(stepReport({ jobId: 'j', attempt: 0, generation: 1 }, 1, 1)),
      1007,
    ],
    ['bytes', Uint8Array.of(1, 2, 3), 1007],
    ['a second hello', JSON.stringify(helloOf('w2')), 1002],
  ])('that says %s is refused and gone', async (_, data, code) => {
    const worker = await join('w1');
    worker.sendRaw(data);
    expect(await worker.closed).toMatchObject({ code });
    const refused = code === 1002 ? 'MESSAGE_UNEXPECTED' : 'MESSAGE_INVALID';
    expect(worker.messages).toMatchObject([{ type: 'refused', code: refused }]);
    await until('the worker is gone', async () => ((await workers()).length === 0 ? true : null));
  });

  it('that sends more than the largest message is cut off', async () => {
    const worker = await join('w1');
    worker.sendRaw('x'.repeat(MAX_MESSAGE_BYTES + 1));
    expect(await worker.closed).toMatchObject({ code: 1009 });
    await until('the worker is gone', async () => ((await workers()).length === 0 ? true : null));
  });

  it('that is drained while idle is released', async () => {
    const worker = await join('w1');
    const answer = await coordinator.send('/workers/w1/drain', { method: 'POST' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: 'w1', state: 'draining' });
    await worker.next('released');
  });

  it('that is drained while it alone trains stores its state first', async () => {
    const worker = await join('w1');
    const { id } = await submit(coordinator);
    const { fence } = await worker.enterGeneration();
    worker.send(stepReport(fence, 1, 1));
    await until('the step is stored', async () => ((await stepsOf(id)).length === 1 ? true : null));
    await coordinator.send('/workers/w1/drain', { method: 'POST' });
    expect(await worker.next('stop')).toMatchObject({ fence, checkpoint: true });
    await jobIn(coordinator, id, 'waiting');
    worker.send({ type: 'stopped', fence });
    await worker.next('released');
    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
  });
});

describe('a report of', () => {
  it('a stale generation or attempt changes nothing', async () => {
    const worker = await join('w1');
    const { id } = await submit(coordinator);
    const first = await worker.enterGeneration();
    const abort = { code: 'PEER_LOST', message: 'a peer is gone', fatal: false } as const;
    const position = { step: 0, epoch: 0, cursor: 0 };
    worker.send({ type: 'aborted', fence: first.fence, ...abort, position });
    const second = await worker.enterGeneration();
    expect(second.fence).toEqual({ ...first.fence, generation: first.fence.generation + 1 });
    // Reports of one connection are handled in order: the last one tells that all were seen.
    worker.send(stepReport(first.fence, 1, 11));
    worker.send(stepReport({ ...second.fence, generation: second.fence.generation + 1 }, 1, 12));
    worker.send({ type: 'finished', fence: first.fence, rank: 0, modelSha256: 'stale' });
    worker.send(stepReport(second.fence, 1, 1));
    await until('a step is stored', async () => ((await stepsOf(id)).length > 0 ? true : null));
    expect(await stepsOf(id)).toMatchObject([{ step: 1, loss: 1 }]);

    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    await worker.next('stop');
    worker.send({ type: 'stopped', fence: second.fence });
    await jobIn(coordinator, id, 'cancelled');
    await coordinator.send(`/jobs/${id}/resume`, { method: 'POST' });
    const third = await worker.enterGeneration(1);
    expect(third.fence.attempt).toBe(first.fence.attempt + 1);
    worker.send(stepReport(second.fence, 2, 21));
    worker.send(stepReport({ ...third.fence, attempt: first.fence.attempt }, 2, 22));
    worker.send(stepReport(third.fence, 2, 2));
    await until('a step is stored', async () => ((await stepsOf(id)).length > 1 ? true : null));
    expect(await stepsOf(id)).toMatchObject([
      { step: 1, loss: 1 },
      { step: 2, loss: 2 },
    ]);
    const stored = await coordinator.send(
      `/internal/jobs/${id}/checkpoints/1?attempt=1&generation=${second.fence.generation}`,
      { method: 'PUT', body: 'x', headers: { authorization: `Bearer ${joinToken}` } },
    );
    await expectProblem(stored, 409, 'ATTEMPT_STALE');
    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    await worker.next('stop');
    worker.send({ type: 'stopped', fence: third.fence });
    await jobIn(coordinator, id, 'cancelled');
  });
});

describe('silence', () => {
  it('of a worker ends its connection, and another goes on', async () => {
    const strict = await startCoordinator(redis.url, {
      heartbeatIntervalMs: 200,
      heartbeatTimeoutMs: 3_000,
    });
    try {
      const talking = await FakeWorker.join(strict.url, 'talking');
      const silent = await FakeWorker.join(strict.url, 'silent', { isSilent: true });
      const { code, reason } = await silent.closed;
      expect(code).toBe(1008);
      expect(reason).toMatch(/^no heartbeat for \d+ ms$/);
      const { items } = (await (await strict.send('/workers')).json()) as { items: object[] };
      expect(items).toMatchObject([{ id: 'talking' }]);
      await talking.leave();
    } finally {
      await strict.close();
    }
  });
});

describe('a route between coordinator and workers', () => {
  const shard = '/internal/data-sets/0/shards/train-00000.bin';
  const checkpoint = '/internal/jobs/job-0/checkpoints/1';
  const upload = `${checkpoint}?attempt=1&generation=1`;

  it.each([
    ['GET', shard, undefined],
    ['GET', shard, apiToken],
    ['GET', checkpoint, apiToken],
    ['PUT', upload, apiToken],
    ['PUT', upload, `${joinToken}x`],
    ['PUT', upload, ''],
  ])('refuses %s %s with token %s', async (method, path, token) => {
    const headers = { authorization: token === undefined ? 'Basic x' : `Bearer ${token}` };
    const body = method === 'PUT' ? { body: 'x' } : {};
    const answer = await coordinator.send(path, { method, headers, ...body });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="skipring"');
    await expectProblem(answer, 401, 'UNAUTHORIZED');
  });

  it('takes the join token, and a route of users does not', async () => {
    const headers = { authorization: `Bearer ${joinToken}` };
    await expectProblem(await coordinator.send(shard, { headers }), 404, 'DATA_SET_UNKNOWN');
    await expectProblem(await coordinator.send('/workers', { headers }), 401, 'UNAUTHORIZED');
    await expectProblem(await coordinator.send('//metrics', { headers }), 401, 'UNAUTHORIZED');
  });
});
