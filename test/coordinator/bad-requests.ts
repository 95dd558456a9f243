import { jobStates, type FieldError } from '@skipring/protocol';
import { waitingJob, type ApiRequest } from '../support/coordinator.js';

export interface BadRequest {
  readonly name: string;
  readonly make: (known: { jobId: string; hash: string }) => ApiRequest & { readonly path: string };
  readonly status: number;
  readonly code: string;
  /** Every field at fault; undefined where the problem is not one of fields. */
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param given as it stands in the request; left out when it is missing there */
function fault(field: string, expected: string, given?: unknown): FieldError {
  return { field, value: given === undefined ? '(missing)' : JSON.stringify(given), expected };
}

const aState = `one of ${jobStates.map((state) => JSON.stringify(state)).join(', ')}`;
const noRoots = 'nothing: SKIPRING_DATA_ROOTS names no directory on the coordinator';
const json = { 'content-type': 'application/json' };
const spec = waitingJob();

const body: readonly BadRequest[] = [
  {
    name: 'without a body',
    make: () => ({ path: '/jobs', method: 'POST' }),
    status: 422,
    code: 'REQUEST_INVALID',
    errors: [fault('', 'an object')],
  },
  {
    name: 'with a body that is not JSON',
    make: () => ({ path: '/jobs', body: '{"apiVersion": ' }),
    status: 400,
    code: 'BODY_NOT_JSON',
  },
  {
    name: 'with a body that is not UTF-8',
    make: () => ({ path: '/jobs', body: Uint8Array.of(0x22, 0xc3, 0x28, 0x22) }),
    status: 400,
    code: 'BODY_NOT_JSON',
  },
  {
    name: 'with a body of more than 512 KiB',
    make: () => ({ path: '/jobs', body: `"${'x'.repeat(512 * 1024)}"` }),
    status: 413,
    code: 'BODY_TOO_LARGE',
  },
  {
    name: 'with YAML',
    make: () => ({ path: '/jobs', body: 'a: 1', headers: { 'content-type': 'application/yaml' } }),
    status: 415,
    code: 'CONTENT_TYPE_UNSUPPORTED',
  },
  {
    name: 'with a compressed body',
    make: () => ({ path: '/jobs', body: '{}', headers: { ...json, 'content-encoding': 'gzip' } }),
    status: 415,
    code: 'CONTENT_TYPE_UNSUPPORTED',
  },
];

const routes: readonly BadRequest[] = [
  {
    name: 'for an unknown route',
    make: () => ({ path: '/gpus' }),
    status: 404,
    code: 'ROUTE_UNKNOWN',
  },
  {
    name: 'for an unknown route outside the API',
    make: () => ({ path: '//' }),
    status: 404,
    code: 'ROUTE_UNKNOWN',
  },
  {
    name: 'with bad JSON for an unknown route outside the API',
    make: () => ({ path: '//nowhere', body: '{' }),
    status: 400,
    code: 'BODY_NOT_JSON',
  },
  {
    name: 'with a method that jobs do not take',
    make: () => ({ path: '/jobs', method: 'DELETE' }),
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    headers: { allow: 'GET, HEAD, POST' },
  },
  {
    name: 'with a method that a cancel does not take',
    make: ({ jobId }) => ({ path: `/jobs/${jobId}/cancel` }),
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    headers: { allow: 'POST' },
  },
  {
    name: 'with a method that metrics do not take',
    make: () => ({ path: '//metrics', method: 'POST' }),
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    headers: { allow: 'GET, HEAD' },
  },
  {
    name: 'with a path that cannot be decoded',
    make: () => ({ path: '/jobs/%E0%A4%A' }),
    status: 400,
    code: 'REQUEST_MALFORMED',
  },
];

const unknownThings: readonly BadRequest[] = [
  ...['', '/events', '/metrics', '/evaluations', '/checkpoints', '/model'].map(
    (suffix): BadRequest => ({
      name: `for an unknown job${suffix}`,
      make: () => ({ path: `/jobs/job-0${suffix}` }),
      status: 404,
      code: 'JOB_UNKNOWN',
    }),
  ),
  ...['/cancel', '/resume'].map((suffix): BadRequest => ({
    name: `to ${suffix.slice(1)} an unknown job`,
    make: () => ({ path: `/jobs/job-0${suffix}`, method: 'POST' }),
    status: 404,
    code: 'JOB_UNKNOWN',
  })),
  {
    name: 'for a job by the name of a key in the store',
    make: ({ jobId }) => ({ path: `/jobs/${jobId}:events` }),
    status: 404,
    code: 'JOB_UNKNOWN',
  },
  {
    name: 'for an unknown data set',
    make: () => ({ path: '/data-sets/none' }),
    status: 404,
    code: 'DATA_SET_UNKNOWN',
  },
  {
    name: 'for an unknown worker',
    make: () => ({ path: '/workers/none' }),
    status: 404,
    code: 'WORKER_UNKNOWN',
  },
  {
    name: 'to drain an unknown worker',
    make: () => ({ path: '/workers/none/drain', method: 'POST' }),
    status: 404,
    code: 'WORKER_UNKNOWN',
  },
  {
    name: 'for the model of a job that has none',
    make: ({ jobId }) => ({ path: `/jobs/${jobId}/model` }),
    status: 409,
    code: 'MODEL_NOT_READY',
  },
  {
    name: 'for an unknown checkpoint',
    make: ({ jobId }) => ({ path: `/internal/jobs/${jobId}/checkpoints/5` }),
    status: 404,
    code: 'CHECKPOINT_UNKNOWN',
  },
  {
    name: 'for a checkpoint outside its directory',
    make: () => ({ path: '/internal/jobs/..%2F..%2Fetc/checkpoints/5' }),
    status: 404,
    code: 'JOB_UNKNOWN',
  },
  {
    name: 'for the shard of an unknown data set',
    make: () => ({ path: `/internal/data-sets/${'0'.repeat(64)}/shards/train-00000.bin` }),
    status: 404,
    code: 'DATA_SET_UNKNOWN',
  },
  {
    name: 'for an unknown shard',
    make: ({ hash }) => ({ path: `/internal/data-sets/${hash}/shards/train-00009.bin` }),
    status: 404,
    code: 'SHARD_UNKNOWN',
  },
  {
    name: 'for a shard outside its directory',
    make: ({ hash }) => ({ path: `/internal/data-sets/${hash}/shards/..%2Fmanifest.json` }),
    status: 404,
    code: 'SHARD_UNKNOWN',
  },
  {
    name: 'for a range behind the end of a shard',
    make: ({ hash }) => ({
      path: `/internal/data-sets/${hash}/shards/train-00000.bin`,
      headers: { range: 'bytes=99999999-' },
    }),
    status: 416,
    code: 'RANGE_NOT_SATISFIABLE',
  },
];

const badQuery = (name: string, query: string, ...errors: FieldError[]): BadRequest => ({
  name: `for a page ${name}`,
  make: () => ({ path: `/jobs?${query}` }),
  status: 422,
  code: 'REQUEST_INVALID',
  errors,
});

const parameters: readonly BadRequest[] = [
  badQuery('of no jobs', 'limit=0', fault('/limit', 'at least 1', '0')),
  badQuery('of too many jobs', 'limit=201', fault('/limit', 'at most 200, or view=summary', '201')),
  badQuery(
    'of too many summaries',
    'view=summary&limit=10001',
    fault('/limit', 'at most 10000', '10001'),
  ),
  badQuery('of nothing', 'limit=', fault('/limit', 'a number', '')),
  badQuery('of a word', 'limit=many', fault('/limit', 'a number', 'many')),
  badQuery('of two sizes', 'limit=1&limit=2', fault('/limit', 'a number', ['1', '2'])),
  badQuery('of an unknown state', 'state=lost', fault('/state', aState, 'lost')),
  badQuery(
    'behind what is no cursor',
    'cursor=*',
    fault('/cursor', 'the nextCursor of a page', '*'),
  ),
  badQuery(
    'with several problems',
    'state=lost&limit=-1&page=2',
    fault('/state', aState, 'lost'),
    fault('/limit', 'at least 1', '-1'),
    fault('/page', 'no such field', '2'),
  ),
  {
    name: 'for metrics from before the first step',
    make: ({ jobId }) => ({ path: `/jobs/${jobId}/metrics?fromStep=-1&limit=0` }),
    status: 422,
    code: 'REQUEST_INVALID',
    errors: [fault('/fromStep', 'at least 0', '-1'), fault('/limit', 'at least 1', '0')],
  },
  {
    name: 'for events behind what is no event',
    make: ({ jobId }) => ({ path: `/jobs/${jobId}/events`, headers: { 'last-event-id': '17' } }),
    status: 422,
    code: 'REQUEST_INVALID',
    errors: [fault('Last-Event-ID', 'the id of an event', '17')],
  },
  {
    name: 'with an empty idempotency key',
    make: () => ({ path: '/jobs', json: spec, headers: { 'idempotency-key': '' } }),
    status: 400,
    code: 'IDEMPOTENCY_KEY_INVALID',
  },
  {
    name: 'with an idempotency key of several words',
    make: () => ({ path: '/jobs', json: spec, headers: { 'idempotency-key': 'a b' } }),
    status: 400,
    code: 'IDEMPOTENCY_KEY_INVALID',
  },
  {
    name: 'with an idempotency key that is too long',
    make: () => ({ path: '/jobs', json: spec, headers: { 'idempotency-key': 'k'.repeat(201) } }),
    status: 400,
    code: 'IDEMPOTENCY_KEY_INVALID',
  },
];

const uploads: readonly BadRequest[] = [
  {
    name: 'to store a checkpoint of no attempt',
    make: ({ jobId }) => ({
      path: `/internal/jobs/${jobId}/checkpoints/1`,
      method: 'PUT',
      body: 'x',
    }),
    status: 422,
    code: 'REQUEST_INVALID',
    errors: [fault('/attempt', 'a number'), fault('/generation', 'a number')],
  },
  {
    name: 'to store a checkpoint of a step that is none',
    make: ({ jobId }) => ({
      path: `/internal/jobs/${jobId}/checkpoints/last?attempt=1&generation=1`,
      method: 'PUT',
      body: 'x',
    }),
    status: 422,
    code: 'REQUEST_INVALID',
    errors: [fault('step', 'a number', 'last')],
  },
  {
    name: 'to store a checkpoint of an attempt that does not run',
    make: ({ jobId }) => ({
      path: `/internal/jobs/${jobId}/checkpoints/1?attempt=1&generation=1`,
      method: 'PUT',
      body: 'x',
    }),
    status: 409,
    code: 'ATTEMPT_STALE',
  },
  {
    name: 'to store a checkpoint by the name of a key in the store',
    make: ({ jobId }) => ({
      path: `/internal/jobs/${jobId}:events/checkpoints/1?attempt=1&generation=1`,
      method: 'PUT',
      body: 'x',
    }),
    status: 404,
    code: 'JOB_UNKNOWN',
  },
];

const badDataSet = (name: string, registration: unknown, ...errors: FieldError[]): BadRequest => ({
  name: `to register ${name}`,
  make: () => ({ path: '/data-sets', json: registration }),
  status: 422,
  code: 'REQUEST_INVALID',
  errors,
});

const dataSets: readonly BadRequest[] = [
  badDataSet(
    'a data set of an unknown format',
    { name: 'a', format: 'zip' },
    fault('/format', 'one of "idx", "cifar10", "cifar100", "images", "glyphs"', 'zip'),
  ),
  badDataSet('a data set without a path', { name: 'a', format: 'idx' }, fault('/path', 'a string')),
  badDataSet('a data set without a name', { format: 'glyphs' }, fault('/name', 'a string')),
  badDataSet(
    'glyphs with a path',
    { name: 'a', format: 'glyphs', path: '/etc' },
    fault('/path', 'no such field', '/etc'),
  ),
  badDataSet(
    'too few glyphs',
    { name: 'a', format: 'glyphs', trainSamples: 9 },
    fault('/trainSamples', 'at least 10', 9),
  ),
  badDataSet(
    'a directory outside the roots',
    { name: 'a', format: 'idx', path: '/etc' },
    fault('/path', noRoots, '/etc'),
  ),
  badDataSet(
    'a directory that does not exist',
    { name: 'a', format: 'idx', path: '/no' },
    fault('/path', noRoots, '/no'),
  ),
  badDataSet(
    'a path with a zero byte',
    { name: 'a', format: 'idx', path: '/a\0b' },
    fault('/path', noRoots, '/a\0b'),
  ),
  {
    name: 'to register another data set under a name that is taken',
    make: () => ({ path: '/data-sets', json: { name: 'tiny', format: 'glyphs' } }),
    status: 409,
    code: 'DATA_SET_EXISTS',
  },
];

export const badRequests: readonly BadRequest[] = [
  ...body,
  ...routes,
  ...unknownThings,
  ...parameters,
  ...uploads,
  ...dataSets,
];
