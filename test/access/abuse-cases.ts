import { GATEWAY_PATH } from '@skipring/protocol';
import { waitingJob, type ApiRequest } from '../support/coordinator.js';

/** A request that must be refused with a status of 4xx and problem details. */
export interface Abuse {
  readonly name: string;
  readonly path: string;
  readonly request: ApiRequest;
  /** Whether the sender's token goes with it; a forged one stands in the headers. */
  readonly isSigned: boolean;
}

const WRITES = [
  '/jobs',
  '/data-sets',
  '/tokens',
  '/sweeps',
  '/jobs/job-0/cancel',
  '/jobs/job-0/pause',
  '/jobs/job-0/resume',
  '/tokens/none/rotate',
  '/workers/none/drain',
  '/sweeps/sweep-0/cancel',
  '/webhooks',
  '/webhooks/none/rotate',
  '/webhooks/none/test',
];
/** Routes whose body is looked at before what the path names. */
const BODIES = ['/jobs', '/data-sets', '/tokens', '/sweeps', '/webhooks'];
const json = { 'content-type': 'application/json' };
const post = (body: string, headers: Record<string, string> = json): ApiRequest => ({
  method: 'POST',
  body,
  headers,
});
const signed = (name: string, path: string, request: ApiRequest = {}): Abuse => ({
  ...{ name, path, request },
  isSigned: true,
});

const nested = '['.repeat(100_000) + ']'.repeat(100_000);
const bodies: readonly Abuse[] = [
  ...WRITES.map((path) => signed(`too large for ${path}`, path, post(`"${'x'.repeat(300_000)}"`))),
  ...WRITES.map((path) => signed(`not JSON for ${path}`, path, post('{"a": '))),
  ...WRITES.map((path) =>
    signed(`a form for ${path}`, path, post('a=1', { 'content-type': 'text/plain' })),
  ),
  ...BODIES.map((path) => signed(`nested 100,000 deep for ${path}`, path, post(nested))),
  ...BODIES.map((path) => signed(`a prototype for ${path}`, path, post('{"__proto__":{"a":1}}'))),
  ...BODIES.map((path) => signed(`null for ${path}`, path, post('null'))),
  signed('gzip', '/jobs', post('{}', { ...json, 'content-encoding': 'gzip' })),
  signed('UTF-7', '/jobs', post('+AHs-', json)),
];

const numbers = ['1e999', '-1', '9007199254740993', '0.5', '"1"', 'null', '[]', '{}', 'true'];
const spec = JSON.stringify(waitingJob());
const specs: readonly Abuse[] = [
  ...numbers.map((value) =>
    signed(`seed ${value}`, '/jobs', post(spec.replace('{', `{"seed":${value},`))),
  ),
  signed(
    'a script for a name',
    '/jobs',
    post(spec.replace('"waits"', '"<script>alert(1)</script>"')),
  ),
  signed('a path for a name', '/jobs', post(spec.replace('"waits"', '"../../etc/passwd"'))),
  signed('a command for a data set', '/jobs', post(spec.replace('"tiny"', '"$(reboot)"'))),
  signed('a constructor', '/jobs', post(spec.replace('{', '{"constructor":{"prototype":{}},'))),
  signed('a million lanes', '/jobs', post(spec.replace('"count":2', '"count":1000000'))),
];

const PATHS = [
  ...['/etc/passwd', '../../../etc/passwd', '/proc/self/environ', '/dev/zero', '/', '.', '~root'],
  ...['/etc/passwd\u0000.png', '/proc/1/root/etc', '//etc//passwd', '/tmp/../etc', 'C:\\windows'],
  // What would be fetched from other machines, if anything were.
  ...['http://169.254.169.254/latest/meta-data', 'http://127.0.0.1:6379/', 'file:///etc/passwd'],
  ...['gopher://127.0.0.1:6379/_FLUSHALL', 'ftp://localhost/x', 'http://[::1]/', 'http://0x7f.1/'],
  ...['\\\\10.0.0.1\\share', 'data:text/plain,x', 'jar:http://10.0.0.1!/x', 's3://bucket/key'],
];
const places: readonly Abuse[] = PATHS.map((path, index) =>
  signed(`a data set at ${JSON.stringify(path)}`, '/data-sets', {
    json: { name: `abuse-${index}`, format: 'images', path },
  }),
);

const URLS = [
  ...['http://169.254.169.254/latest/meta-data', 'http://127.0.0.1:6379/', 'http://[::1]:7400/'],
  ...['http://0x7f.1/', 'http://2130706433/', 'http://0/', 'http://[::ffff:10.0.0.1]/'],
  ...['http://10.0.0.1/', 'http://192.168.0.1/', 'http://[fd00::1]/', 'http://100.64.0.1/'],
  ...['file:///etc/passwd', 'gopher://127.0.0.1:6379/_FLUSHALL', 'javascript:alert(1)', '//x/'],
  ...['http://user:secret@example.org/', 'https://example.org/#part', 'http://', ''],
];
const webhooks: readonly Abuse[] = [
  ...URLS.map((url, index) =>
    signed(`a webhook at ${JSON.stringify(url)}`, '/webhooks', {
      json: { name: `abuse-${index}`, url },
    }),
  ),
  signed('a webhook of no states', '/webhooks', {
    json: { name: 'abuse', url: 'https://example.org/', states: [] },
  }),
  ...['null', '[]', '{"enabled":0}', '{"secret":"chosen"}', '{"__proto__":{"enabled":true}}'].map(
    (body) =>
      signed(`a webhook changed by ${body}`, '/webhooks/none', { ...post(body), method: 'PATCH' }),
  ),
  signed('a webhook with a secret of its own', '/webhooks', {
    json: { name: 'abuse', url: 'https://example.org/', secret: 'chosen' },
  }),
];

const ids: readonly Abuse[] = [
  ...[
    '..%2f..%2fetc',
    '%00',
    'job-*',
    'job-0%0d%0aSET%20a%20b',
    '{job}',
    'job-' + 'a'.repeat(5_000),
  ],
  ...['__proto__', 'constructor', '%e0%80%af', "job-0';--"],
].flatMap((id) => [
  signed(`job ${id.slice(0, 30)}`, `/jobs/${id}`),
  signed(`model of job ${id.slice(0, 30)}`, `/jobs/${id}/model`),
  signed(`token ${id.slice(0, 30)}`, `/tokens/${id}`),
  signed(`deletion of job ${id.slice(0, 30)}`, `/jobs/${id}`, { method: 'DELETE' }),
  signed(`deletion of data set ${id.slice(0, 30)}`, `/data-sets/${id}`, { method: 'DELETE' }),
]);

const queries: readonly Abuse[] = [
  ...['limit=-1', 'limit=1e9', 'limit=a', 'limit[]=1', 'state[$ne]=x', 'cursor=-inf', 'cursor=%00'],
  ...['limit=201', 'view=summary&limit=10001', 'view=all', 'view=summary&view=full'],
  ...['cursor=(job', 'limit=1&limit=2', 'q=1', `cursor=${'a'.repeat(10_000)}`],
].map((query) => signed(`jobs?${query.slice(0, 30)}`, `/jobs?${query}`));

const forged = (name: string, authorization: string): Abuse => ({
  name: `token: ${name}`,
  path: '/jobs',
  request: { headers: { authorization } },
  isSigned: false,
});
const tokens: readonly Abuse[] = [
  { name: 'token: none', path: '/jobs', request: {}, isSigned: false },
  forged('empty', 'Bearer '),
  forged('of the workers', 'Bearer join-token-of-the-workers'),
  forged('one character off', 'Bearer api-token-of-the-userS'),
  forged('the start of it', 'Bearer api-token-of-the'),
  forged('with more behind it', 'Bearer api-token-of-the-users-and-more'),
  forged('another scheme', 'Basic YXBpOnRva2Vu'),
  forged('an unsigned JWT', 'Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.'),
  forged('of nobody', `Bearer skr_nobody_${'A'.repeat(43)}`),
  forged('of root', `Bearer skr_root_${'A'.repeat(43)}`),
  forged('a key of the store', `Bearer skr_../../x_${'A'.repeat(43)}`),
  forged('8 kB long', `Bearer ${'a'.repeat(8_000)}`),
  forged('the word undefined', 'Bearer undefined'),
  {
    name: 'the API token on an internal route',
    path: '/internal/jobs/job-0/checkpoints/1',
    request: { headers: { authorization: 'Bearer api-token-of-the-users' } },
    isSigned: false,
  },
  {
    name: 'a forged upload',
    path: '/internal/jobs/job-0/checkpoints/1?attempt=1&generation=1',
    request: {
      method: 'PUT',
      body: 'not a checkpoint',
      headers: { authorization: 'Bearer join-token-of-the-workers' },
    },
    isSigned: false,
  },
];

/** What one who has stolen the join token tries: it opens shards, weights and its generation alone. */
const withJoinToken = (path: string, request: ApiRequest = {}): Abuse => ({
  name: `join token: ${request.method ?? 'GET'} ${path.replace(/0{64}/, 'HASH').slice(0, 60)}`,
  path,
  request: {
    ...request,
    headers: { ...request.headers, authorization: 'Bearer join-token-of-the-workers' },
  },
  isSigned: false,
});
const TRAVERSALS = ['..%2f..%2f..%2fetc%2fpasswd', '%2e%2e', '%00', '*', 'a'.repeat(3_000)];
const stolen: readonly Abuse[] = [
  ...['/jobs', '/tokens', '/audit', '/webhooks', '/workers', '/faults', '/whoami'].map((path) =>
    withJoinToken(path),
  ),
  withJoinToken('/jobs', { json: waitingJob() }),
  withJoinToken('/workers/local-1/drain', { method: 'POST' }),
  ...TRAVERSALS.flatMap((name) => [
    withJoinToken(`/internal/data-sets/${name}/shards/train-00000.bin`),
    withJoinToken(`/internal/data-sets/${'0'.repeat(64)}/shards/${name}`),
    withJoinToken(`/internal/weights/${name}`),
    withJoinToken(`/internal/jobs/${name}/checkpoints/1`),
    withJoinToken(`/internal/jobs/job-0/checkpoints/${name}`),
  ]),
  ...['', '?attempt=1', '?attempt=-1&generation=1', '?attempt=1e99&generation=1'].map((query) =>
    withJoinToken(`/internal/jobs/job-0/checkpoints/1${query}`, { method: 'PUT', body: 'x' }),
  ),
];

const { model, data, training, lanes } = waitingJob();
const sweep = {
  ...{ apiVersion: 'skipring/v1', name: 'abuse', job: { model, data, training, lanes } },
  ...{ parameters: { seed: { values: [1] } }, strategy: { kind: 'grid' } },
};
const replays: readonly Abuse[] = ['', ' ', 'a b', 'ä', 'x'.repeat(201)].flatMap((key) => {
  const headers = { 'idempotency-key': encodeURI(key) === key ? key : encodeURI(key) + ' %' };
  const name = JSON.stringify(key.slice(0, 10));
  return [
    signed(`idempotency key ${name}`, '/jobs', { json: waitingJob(), headers }),
    signed(`idempotency key ${name} of a sweep`, '/sweeps', { json: sweep, headers }),
  ];
});

const methods: readonly Abuse[] = ['PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) =>
  signed(`${method} of jobs`, '/jobs', { method }),
);

export const abuses: readonly Abuse[] = [
  ...[
    ...bodies,
    ...specs,
    ...places,
    ...webhooks,
    ...ids,
    ...queries,
    ...tokens,
    ...stolen,
    ...replays,
    ...methods,
  ],
  signed('a WebSocket path without an upgrade', `/${GATEWAY_PATH}`),
];
