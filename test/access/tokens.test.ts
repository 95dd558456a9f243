import {
  auditPageSchema,
  newTokenSchema,
  type NewToken,
  type TokenRequestInput,
} from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  tinyGlyphs,
  waitingJob,
  type ApiRequest,
  type TestCoordinator,
} from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const API_TOKEN = 'the-token-of-the-configuration';
let redis: TestRedis;
let coordinator: TestCoordinator;
let numNames = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, { apiToken: API_TOKEN });
  const { send } = coordinator;
  const asRoot: TestCoordinator = {
    ...coordinator,
    send: (path, request) => send(path, as(API_TOKEN, request)),
  };
  await settleDataSet(asRoot, tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

function as(token: string, request: ApiRequest = {}): ApiRequest {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

const send = (token: string, path: string, request?: ApiRequest): Promise<Response> =>
  coordinator.send(path, as(token, request));

async function create(changes: Partial<TokenRequestInput> = {}): Promise<NewToken> {
  const json = { name: `token-${(numNames += 1)}`, role: 'submitter', ...changes };
  const answer = await send(API_TOKEN, '/tokens', { json });
  expect(answer.status).toBe(201);
  return newTokenSchema.parse(await answer.json());
}

async function submit(token: string, changes = {}): Promise<Response> {
  return send(token, '/jobs', { json: waitingJob(changes) });
}

async function idOf(answer: Response): Promise<string> {
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

describe('a token', () => {
  it('says who it is, and is listed without secret or hash', async () => {
    const { token, ...view } = await create({ role: 'viewer', expiresInMs: 60_000 });
    expect(token).toMatch(new RegExp(`^skr_${view.name}_[A-Za-z0-9_-]{43}$`));
    const { name, role, limits, expiresAt } = view;
    const answer = await send(token, '/whoami');
    expect(await answer.json()).toEqual({ name, role, limits, expiresAt });
    const shown = await send(API_TOKEN, `/tokens/${name}`);
    expect(await shown.json()).toEqual(view);
    const all = (await (await send(API_TOKEN, '/tokens')).json()) as { items: unknown[] };
    expect(all.items).toContainEqual(view);
  });

  it('is stored as a hash: its secret is nowhere in the store', async () => {
    const { token } = await create();
    const secret = token.slice(-43);
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url);
    for (const key of await client.keys('*')) {
      if ((await client.type(key)) !== 'string') continue;
      expect(await client.get(key)).not.toContain(secret);
    }
    client.disconnect();
  });

  it('has a name of its own, which is not one of those reserved', async () => {
    const { name } = await create();
    const json = { name, role: 'viewer' };
    await expectProblem(await send(API_TOKEN, '/tokens', { json }), 409, 'TOKEN_EXISTS');
    for (const taken of ['root', 'anonymous']) {
      const answer = await send(API_TOKEN, '/tokens', { json: { name: taken, role: 'viewer' } });
      await expectProblem(answer, 422, 'REQUEST_INVALID');
    }
  });

  it('is refused once it has expired', async () => {
    const { token } = await create({ expiresInMs: 400 });
    expect((await send(token, '/whoami')).status).toBe(200);
    await until('its expiry', async () =>
      (await send(token, '/whoami')).status === 401 ? true : null,
    );
  });

  it('is refused as soon as it is revoked', async () => {
    const { token, name } = await create();
    expect((await send(token, '/jobs')).status).toBe(200);
    expect((await send(API_TOKEN, `/tokens/${name}`, { method: 'DELETE' })).status).toBe(204);
    await expectProblem(await send(token, '/jobs'), 401, 'UNAUTHORIZED');
    const again = await send(API_TOKEN, `/tokens/${name}`, { method: 'DELETE' });
    await expectProblem(again, 404, 'TOKEN_UNKNOWN');
  });

  it('gets another secret by rotation; the old one is taken for the overlap alone', async () => {
    const { token: first, name } = await create();
    const rotate = async (json?: object): Promise<string> => {
      const answer = await send(API_TOKEN, `/tokens/${name}/rotate`, { method: 'POST', json });
      return newTokenSchema.parse(await answer.json()).token;
    };
    const second = await rotate({ overlapMs: 1_500 });
    expect((await send(first, '/whoami')).status).toBe(200);
    expect((await send(second, '/whoami')).status).toBe(200);
    await until('the end of the overlap', async () =>
      (await send(first, '/whoami')).status === 401 ? true : null,
    );
    const third = await rotate();
    expect((await send(second, '/whoami')).status).toBe(401);
    expect((await send(third, '/whoami')).status).toBe(200);
  });

  it('outlasts a restart of the coordinator', async () => {
    const { token } = await create({ role: 'viewer' });
    const { options } = coordinator;
    await coordinator.close();
    coordinator = await startCoordinator(redis.url, {
      apiToken: API_TOKEN,
      keyPrefix: options.keyPrefix,
    });
    expect((await send(token, '/whoami')).status).toBe(200);
  });
});

describe('a submitter', () => {
  it('changes its own jobs; those of others are an admin’s', async () => {
    const [mine, other] = [await create(), await create()];
    const id = await idOf(await submit(mine.token));
    const { owner } = (await (await send(other.token, `/jobs/${id}`)).json()) as { owner: string };
    expect(owner).toBe(mine.name);
    for (const verb of ['cancel', 'resume']) {
      const answer = await send(other.token, `/jobs/${id}/${verb}`, { method: 'POST' });
      await expectProblem(answer, 403, 'FORBIDDEN');
    }
    expect((await send(mine.token, `/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(200);
    expect((await send(API_TOKEN, `/jobs/${id}/resume`, { method: 'POST' })).status).toBe(200);
    expect((await send(API_TOKEN, `/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(200);
  });

  it('does not get the job of another by its idempotency key', async () => {
    const [mine, other] = [await create(), await create()];
    const headers = { 'idempotency-key': 'once' };
    const ids = [];
    for (const { token } of [mine, mine, other]) {
      const answer = await send(token, '/jobs', { json: waitingJob(), headers });
      ids.push(((await answer.json()) as { id: string }).id);
    }
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toBe(ids[1]);
  });
});

describe('a limit', () => {
  it('of open jobs holds for submissions at once, for resumptions, and ends with the jobs', async () => {
    const { token } = await create({ limits: { openJobs: 3 } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => submit(token)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
    const refused = answers.find(({ status }) => status === 403)!;
    const { detail } = await expectProblem(refused, 403, 'QUOTA_EXCEEDED');
    expect(detail).toContain('openJobs of at most 3');
    const id = await idOf(answers.find(({ status }) => status === 201)!);
    expect((await send(token, `/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(200);
    await idOf(await submit(token));
    const resumed = await send(token, `/jobs/${id}/resume`, { method: 'POST' });
    await expectProblem(resumed, 403, 'QUOTA_EXCEEDED');
    expect((await send(API_TOKEN, `/jobs/${id}/resume`, { method: 'POST' })).status).toBe(200);
  });

  it('of workers is about the sum of what the open jobs may use', async () => {
    const { token } = await create({ limits: { workers: 3 } });
    await idOf(await submit(token, { workers: { min: 1, max: 2 } }));
    const more = await submit(token, { workers: { min: 1, max: 2 } });
    await expectProblem(more, 403, 'QUOTA_EXCEEDED');
    await idOf(await submit(token, { workers: { min: 1, max: 1 } }));
  });

  it('of requests a second is told with the time to wait', async () => {
    const { token } = await create({ limits: { requestsPerSecond: 5 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(token, '/whoami')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused[0]!.headers.get('retry-after')).toBe('1');
    await expectProblem(refused[0]!, 429, 'RATE_LIMITED');
    await until('the next second', async () =>
      (await send(token, '/whoami')).status === 200 ? true : null,
    );
  });
});

describe('the audit log', () => {
  it('has changes and what was forbidden, newest first, in pages; no reads and nobody', async () => {
    const { token, name } = await create();
    const id = await idOf(await submit(token));
    await send(token, `/jobs/${id}`);
    await send('wrong-token', '/jobs', { json: waitingJob() });
    await send(token, '/tokens?secret=in-the-query');
    await send(token, `/jobs/${id}/cancel`, { method: 'POST' });
    const entries = await until('the entries', async () => {
      const answer = await send(API_TOKEN, '/audit?limit=1000');
      const { items } = auditPageSchema.parse(await answer.json());
      const own = items.filter(({ actor }) => actor === name);
      return own.length === 3 ? own : null;
    });
    expect(entries.map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
      `POST /api/v1/jobs/${id}/cancel 200`,
      'GET /api/v1/tokens 403',
      `POST /api/v1/jobs/${id} 201`,
    ]);
    expect(entries[0]).toMatchObject({ role: 'submitter', address: expect.any(String) as string });
    const first = auditPageSchema.parse(await (await send(API_TOKEN, '/audit?limit=1')).json());
    const rest = await send(API_TOKEN, `/audit?limit=1&cursor=${first.nextCursor}`);
    const second = auditPageSchema.parse(await rest.json());
    expect(second.items[0]!.id < first.items[0]!.id).toBe(true);
    // Of one token alone, also in pages.
    const newest = await send(API_TOKEN, `/audit?limit=2&actor=${name}`);
    const ofToken = auditPageSchema.parse(await newest.json());
    expect(ofToken.items).toEqual(entries.slice(0, 2));
    const older = `/audit?limit=2&actor=${name}&cursor=${ofToken.nextCursor}`;
    const last = auditPageSchema.parse(await (await send(API_TOKEN, older)).json());
    expect(last).toEqual({ items: entries.slice(2), nextCursor: null });
  });
});

describe('answers', () => {
  it('carry security headers, and none that opens the API to other origins', async () => {
    const answer = await send(API_TOKEN, '/jobs', { headers: { origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('name an origin that the configuration allows, and no other', async () => {
    const allowed = 'https://console.example.org';
    const open = await startCoordinator(redis.url, { apiToken: API_TOKEN, corsOrigins: [allowed] });
    try {
      for (const [origin, told] of [
        [allowed, allowed],
        ['https://evil.example', null],
      ] as const) {
        const preflight = await open.send('/jobs', {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST' },
        });
        expect(preflight.headers.get('access-control-allow-origin')).toBe(told);
        const answer = await open.send('/jobs', { headers: { origin } });
        // Of the headers of an answer a page sees those that are named.
        expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
      }
    } finally {
      await open.close();
    }
  });
});
