import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator, type TestCoordinator } from '../support/coordinator.js';
import { expectProblem } from '../support/problem.js';
import { sendRaw } from '../support/raw-http.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

const PAGE = '<!doctype html><title>console</title>';
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let redis: TestRedis;
let coordinator: TestCoordinator;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipring-console-'));
  const consoleDirectory = join(directory, 'web');
  await mkdir(join(consoleDirectory, 'assets'), { recursive: true });
  await writeFile(join(consoleDirectory, 'index.html'), PAGE);
  await writeFile(join(consoleDirectory, 'favicon.svg'), '<svg/>');
  await writeFile(join(consoleDirectory, 'notes.txt'), 'not for the web');
  await writeFile(join(consoleDirectory, 'assets', 'index-abc123.js'), 'export {};');
  await writeFile(join(directory, 'secret.js'), 'secret');
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, {
    apiToken: 'a-token-of-users',
    consoleDirectory,
  });
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
  await rm(directory, { recursive: true });
});

const get = (path: string, headers = {}, method = 'GET'): Promise<Response> =>
  coordinator.send(`/${path}`, { headers, method });

describe('the console', () => {
  it('is served at / without a token, under a policy that lets nothing else in', async () => {
    const answer = await get('/');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toMatch(/https?:|\*/);
    expect(await answer.text()).toBe(PAGE);
  });

  it('has its page at every address of it that a browser opens', async () => {
    for (const path of ['/jobs', '/jobs/job-1/events', '/data-sets/a-b', '/compare?jobs=a,b']) {
      expect(await (await get(path, HTML)).text()).toBe(PAGE);
    }
  });

  it('keeps files whose names carry their hash for long, each with its type', async () => {
    const script = await get('/assets/index-abc123.js');
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect(await script.text()).toBe('export {};');
    const icon = await get('/favicon.svg');
    expect(icon.headers.get('content-type')).toBe('image/svg+xml');
    expect(icon.headers.get('cache-control')).toBe('no-cache');
  });

  it('answers HEAD without a body, and what has not changed with 304', async () => {
    const head = await get('/', {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await head.text()).toBe('');
    const etag = head.headers.get('etag') ?? '';
    const again = await get('/', { 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const plain = await get('/', { 'accept-encoding': 'identity' }, 'HEAD');
    expect(plain.headers.get('content-length')).toBe(String(PAGE.length));
    expect(plain.headers.get('etag')).not.toBe(etag);
  });

  it('serves nothing that is not a file of it', async () => {
    const given = { authorization: 'Bearer a-token-of-users' };
    for (const path of ['/assets/none.js', '/notes.txt', '/assets', '/assets/']) {
      await expectProblem(await get(path, given), 404, 'ROUTE_UNKNOWN');
    }
    for (const path of [
      '/../secret.js',
      '/assets/../../secret.js',
      '/%2e%2e/secret.js',
      '/assets/..%2f..%2fsecret.js',
      '//secret.js',
      '/assets/%00index-abc123.js',
      '/assets\\..\\..\\secret.js',
    ]) {
      const answer = await sendRaw(
        coordinator.port,
        `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body).not.toBe('secret');
    }
  });

  it('takes no address of the API, and no other method', async () => {
    await expectProblem(await get('/api/v1/none', HTML), 401, 'UNAUTHORIZED');
    await expectProblem(await get('/metrics', HTML), 401, 'UNAUTHORIZED');
    const given = { authorization: 'Bearer a-token-of-users', ...HTML };
    await expectProblem(await get('/api/v1/none', given), 404, 'ROUTE_UNKNOWN');
    await expectProblem(await get('/jobs', given, 'POST'), 404, 'ROUTE_UNKNOWN');
    await expectProblem(await get('/jobs', given, 'DELETE'), 404, 'ROUTE_UNKNOWN');
  });
});

describe('a coordinator whose console was not built', () => {
  it('serves its API alone', async () => {
    const bare = await startCoordinator(redis.url, { consoleDirectory: join(directory, 'none') });
    try {
      await expectProblem(await bare.send('//', { headers: HTML }), 404, 'ROUTE_UNKNOWN');
      expect((await bare.send('/jobs')).status).toBe(200);
    } finally {
      await bare.close();
    }
  });
});
