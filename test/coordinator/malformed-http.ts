interface MalformedHttp {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
  readonly code: string;
}

const post = (...lines: string[]): string =>
  [
    'POST /api/v1/jobs HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    ...lines,
    '',
    '',
  ].join('\r\n');
const malformed = { status: 400, code: 'REQUEST_MALFORMED' } as const;

export const malformedHttp: readonly MalformedHttp[] = [
  { name: 'no HTTP', bytes: 'garbage\r\n\r\n', ...malformed },
  { name: 'of a method that is none', bytes: 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n', ...malformed },
  { name: 'of a length that is no number', bytes: post('Content-Length: many'), ...malformed },
  {
    name: 'of two lengths',
    bytes: post('Content-Length: 3', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
    ...malformed,
  },
  {
    name: 'a header that does not end',
    bytes: `GET /health/live HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    ...malformed,
  },
  {
    name: 'a chunk that is too short',
    bytes: post('Transfer-Encoding: chunked', 'Connection: close') + 'zz\r\n{}\r\n0\r\n\r\n',
    ...malformed,
  },
  {
    name: 'a body without end',
    bytes:
      post('Transfer-Encoding: chunked', 'Connection: close') +
      `10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(9),
    status: 413,
    code: 'BODY_TOO_LARGE',
  },
  {
    name: 'a path that climbs',
    bytes: 'GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    status: 404,
    code: 'ROUTE_UNKNOWN',
  },
  {
    name: 'of no path',
    bytes: 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    status: 404,
    code: 'ROUTE_UNKNOWN',
  },
  {
    name: 'an unknown expectation',
    bytes: post('Expect: magic', 'Content-Length: 2', 'Connection: close') + '[]',
    status: 422,
    code: 'REQUEST_INVALID',
  },
  {
    name: 'a WebSocket where none is served',
    bytes:
      'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    status: 404,
    code: 'ROUTE_UNKNOWN',
  },
];
