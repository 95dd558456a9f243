import { getEventListeners, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, describe, it } from 'vitest';
import { SkipringClient } from './client.js';

const life = new AbortController();
const { signal } = life;
let server: Server;

async function serve(listener: RequestListener, options = {}): Promise<SkipringClient> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return new SkipringClient({ url: `http://127.0.0.1:${port}`, token: null, signal, ...options });
}

const numTraces = (of = signal): number => getEventListeners(of, 'abort').length;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('a signal that outlives its calls', () => {
  it('keeps nothing of answers, refusals and lost connections', async () => {
    const client = await serve((request, response) => {
      if (request.url?.endsWith('/workers') === true) response.end('{"items":[]}');
      else if (request.method === 'DELETE') response.writeHead(204).end();
      else if (request.url?.endsWith('/lost') === true) request.socket.destroy();
      else response.writeHead(request.url?.endsWith('/busy') === true ? 503 : 404).end();
    });
    await client.workers();
    await client.deleteJob('j');
    await expect(client.job('unknown')).rejects.toThrow('404');
    await expect(client.job('busy')).rejects.toThrow('503');
    await expect(client.job('lost')).rejects.toThrow();
    expect(numTraces()).toBe(0);
  });

  it('keeps nothing of streams that have ended, failed or were left', async () => {
    const client = await serve((request, response) => {
      response.write(': empty\n\n');
      if (request.url?.includes('/whole') === true) response.end();
      if (request.url?.includes('/cut') === true) setTimeout(() => response.destroy(), 20);
    });
    expect(await new Response(await client.model('whole')).text()).toBe(': empty\n\n');
    await expect(new Response(await client.model('cut')).text()).rejects.toThrow();
    const left = await client.model('left');
    expect(numTraces()).toBe(1);
    await left.cancel();
    expect(numTraces()).toBe(0);
    for await (const event of client.events('whole')) expect.fail(JSON.stringify(event));
    expect(numTraces()).toBe(0);
  });

  it('ends a call or a stream whose answer has begun', async () => {
    const ending = new AbortController();
    const client = await serve(
      (_, response) => {
        response.write('{');
      },
      { signal: ending.signal },
    );
    const calls = [client.workers(), new Response(await client.model('j')).text()];
    const reason = new Error('enough');
    setTimeout(() => {
      ending.abort(reason);
    }, 50);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    expect(numTraces(ending.signal)).toBe(0);
  });

  it('leaves the deadline of a call whose answer has begun in force', async () => {
    const client = await serve(
      (_, response) => {
        response.write('{');
      },
      { timeoutMs: 50 },
    );
    await expect(client.workers()).rejects.toThrow('not of this API version');
    await expect(client.samplePicture('d', 'test', 0)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(numTraces()).toBe(0);
  });
});
