import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SkipringClient } from './client.js';
import { ApiError, ConnectionError, ResponseError } from './errors.js';

let server: Server | null = null;

afterEach(async () => {
  await new Promise<void>((done) => {
    if (server === null) done();
    else
      server.close(() => {
        done();
      });
    server?.closeAllConnections();
    server = null;
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler): Promise<SkipringClient> {
  let count = 0;
  const started = createServer((request, response) => {
    handler(request, response, (count += 1));
  });
  server = started;
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  const { port } = started.address() as AddressInfo;
  return new SkipringClient({ url: `http://127.0.0.1:${port}/`, token: 'secret' });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const problem = {
  type: 'about:blank',
  title: 't',
  status: 404,
  code: 'JOB_UNKNOWN',
  detail: 'no job',
};

describe('SkipringClient', () => {
  it('sends the token and the query', async () => {
    let seen = '';
    const client = await serve((request, response) => {
      seen = `${request.headers.authorization ?? ''} ${request.url ?? ''}`;
      answer(response, 200, { items: [], nextCursor: null });
    });
    await client.jobs({ state: 'running', limit: 5 });
    expect(seen).toBe('Bearer secret /api/v1/jobs?state=running&limit=5');
  });

  it('turns a problem into an ApiError with its code', async () => {
    const client = await serve((_request, response) => {
      answer(response, 404, problem);
    });
    await expect(client.job('x')).rejects.toMatchObject({ code: 'JOB_UNKNOWN', status: 404 });
    await expect(client.job('x')).rejects.toBeInstanceOf(ApiError);
  });

  it('repeats a read while the server is busy', async () => {
    const recovering = await serve((_request, response, count) => {
      answer(response, count < 3 ? 503 : 200, count < 3 ? problem : { items: [] });
    });
    expect(await recovering.workers()).toEqual([]);
  });

  it('repeats a submission under one idempotency key', async () => {
    const keys: unknown[] = [];
    const client = await serve((request, response, count) => {
      keys.push(request.headers['idempotency-key']);
      if (count === 1) request.socket.destroy();
      else answer(response, 404, problem);
    });
    await expect(client.submit({} as never)).rejects.toBeInstanceOf(ApiError);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it('does not repeat a cancellation', async () => {
    let requests = 0;
    const client = await serve((request) => {
      requests += 1;
      request.socket.destroy();
    });
    await expect(client.cancel('x')).rejects.toBeInstanceOf(ConnectionError);
    expect(requests).toBe(1);
  });

  it('refuses an answer that is not of this API', async () => {
    const client = await serve((_request, response) => {
      answer(response, 200, { hello: 1 });
    });
    await expect(client.job('x')).rejects.toBeInstanceOf(ResponseError);
  });

  it('resumes a broken event stream behind the last event seen', async () => {
    const event = (id: string, state: string): string =>
      `id: ${id}\ndata: ${JSON.stringify({
        id,
        time: '2026-01-01T00:00:00.000Z',
        jobId: 'j',
        type: 'state',
        state,
        reason: '',
        attempt: 1,
      })}\n\n`;
    const resumedFrom: unknown[] = [];
    const client = await serve((request, response, count) => {
      resumedFrom.push(request.headers['last-event-id']);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event(String(count), count === 1 ? 'running' : 'succeeded'));
      if (count === 1) setTimeout(() => request.socket.destroy(), 50);
    });
    const states: string[] = [];
    for await (const received of client.follow('j')) {
      if (received.type === 'state') states.push(received.state);
    }
    expect(states).toEqual(['running', 'succeeded']);
    expect(resumedFrom).toEqual([undefined, '1']);
  });
});
