import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  type TestCoordinator,
} from '../support/coordinator.js';
import { expectProblem, problemIn } from '../support/problem.js';
import { sendRaw } from '../support/raw-http.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { badRequests } from './bad-requests.js';
import { badSpecs } from './bad-specs.js';
import { malformedHttp } from './malformed-http.js';

let redis: TestRedis;
let coordinator: TestCoordinator;
let jobId: string;
let hash: string;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url);
  const dataSet = await settleDataSet(coordinator, tinyGlyphs);
  hash = dataSet.hash!;
  jobId = (await submit(coordinator)).id;
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
});

describe('a job spec', () => {
  it.each(badSpecs)('of $name is refused with every field at fault', async ({ spec, faults }) => {
    const response = await coordinator.send('/jobs', { json: spec });
    const isUnknown = faults.some(([, expected]) => expected === 'a registered data set');
    const code = isUnknown ? 'DATA_SET_UNKNOWN' : 'REQUEST_INVALID';
    const { errors = [] } = await expectProblem(response, 422, code);
    expect(errors.map(({ field }) => field).sort()).toEqual(faults.map(([field]) => field).sort());
    for (const [field, expected] of faults) {
      expect(errors).toContainEqual({
        field,
        value: shown(spec, field),
        expected: expect.stringContaining(expected) as string,
      });
    }
  });

  it('is shown the value that it gave, cut when it is long', async () => {
    const long = 'y'.repeat(1_000);
    const response = await coordinator.send('/jobs', { json: { apiVersion: long, name: 7 } });
    const { errors = [] } = await expectProblem(response, 422, 'REQUEST_INVALID');
    const values = new Map(errors.map(({ field, value }) => [field, value]));
    expect(values.get('/name')).toBe('7');
    expect(values.get('/model')).toBe('(missing)');
    expect(values.get('/apiVersion')).toMatch(/^"y{198}…$/);
  });

  it('that is refused leaves no job behind', async () => {
    const page = (await (await coordinator.send('/jobs')).json()) as { items: { id: string }[] };
    expect(page.items.map(({ id }) => id)).toEqual([jobId]);
  });
});

describe('a request', () => {
  it.each(badRequests)('$name: $status $code', async ({ make, status, code, errors, headers }) => {
    const { path, ...request } = make({ jobId, hash });
    const response = await coordinator.send(path, request);
    const problem = await expectProblem(response, status, code);
    expect(problem.errors).toEqual(errors);
    for (const [name, value] of Object.entries(headers ?? {})) {
      expect(response.headers.get(name)).toBe(value);
    }
  });
});

describe('bytes that are', () => {
  it.each(malformedHttp)('$name are answered with $status $code', async ({ bytes, ...row }) => {
    const { status, headers, body } = await sendRaw(coordinator.port, bytes);
    const text = headers.get('transfer-encoding') === 'chunked' ? unchunked(body) : body;
    const problem = problemIn(status, headers.get('content-type') ?? null, text);
    expect(problem).toMatchObject({ status: row.status, code: row.code });
  });

  it('malformed do not keep others from being served', async () => {
    await sendRaw(coordinator.port, 'garbage\r\n\r\n');
    expect((await coordinator.send('//health/live')).status).toBe(200);
  });
});

/** What a spec has at a JSON pointer, as an answer shows it. */
function shown(spec: unknown, pointer: string): string {
  const parts = pointer.split('/').slice(1);
  let value = spec;
  for (const part of parts) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  return value === undefined ? '(missing)' : JSON.stringify(value);
}

/** The text of a body in chunks. */
function unchunked(body: string): string {
  return body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '');
}
