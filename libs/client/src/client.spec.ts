import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jobSpecSchema, jobSummarySchema, type JobView } from '@skipring/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const endedJob: JobView = {
  id: 'j',
  name: 'ended',
  owner: 'root',
  state: 'succeeded',
  reason: 'all steps are done',
  attempt: 2,
  generation: 1,
  workers: [],
  progress: { step: 1, totalSteps: 1, epoch: 0, totalEpochs: 1, imagesPerSecond: 0, etaMs: 0 },
  lastStep: null,
  lastEvaluation: null,
  bestAccuracy: null,
  modelSha256: 'a'.repeat(64),
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  spec: jobSpecSchema.parse({
    apiVersion: 'skipring/v1',
    name: 'ended',
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: 'digits' },
    training: { steps: 1 },
  }),
};

describe('SkipringClient', () => {
  it('sends the token and the query', async () => {
    let seen = '';
    const client = await serve((request, response) => {
      seen = `${request.headers.authorization ?? ''} ${request.url ?? ''}`;
      answer(response, 200, { items: [], nextCursor: null, total: 0 });
    });
    await client.jobs({ state: 'running', limit: 5 });
    expect(seen).toBe('Bearer secret /api/v1/jobs?state=running&limit=5');
  });

  it('goes through all jobs page by page', async () => {
    const seen: string[] = [];
    const client = await serve((request, response, count) => {
      seen.push((request.url ?? '').replace(/^.*\?/, ''));
      const item = jobSummarySchema.strip().parse({ ...endedJob, id: `job-${count}` });
      const nextCursor = count < 3 ? `job-${count}` : null;
      answer(response, 200, { items: [item], nextCursor, total: 3 });
    });
    const ids: string[] = [];
    for await (const { id } of client.eachJob({ state: 'succeeded' })) ids.push(id);
    expect(ids).toEqual(['job-1', 'job-2', 'job-3']);
    const first = 'view=summary&state=succeeded&limit=10000';
    expect(seen).toEqual([
      first,
      'view=summary&state=succeeded&cursor=job-1&limit=10000',
      'view=summary&state=succeeded&cursor=job-2&limit=10000',
    ]);
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

  it.each(['submit', 'submitSweep'] as const)('repeats %s under one key', async (call) => {
    const keys: unknown[] = [];
    const client = await serve((request, response, count) => {
      keys.push(request.headers['idempotency-key']);
      if (count === 1) request.socket.destroy();
      else answer(response, 404, problem);
    });
    await expect(client[call]({} as never)).rejects.toBeInstanceOf(ApiError);
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

  describe('follows a job', () => {
    const states = ['running', 'cancelled', 'pending', 'running', 'succeeded'] as const;
    let answered: string[];

    beforeEach(() => {
      answered = [];
    });

    function sendEvents(response: ServerResponse, after: number, to: number): void {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [index, state] of states.slice(0, to).entries()) {
        if (index < after) continue;
        const id = String(index + 1);
        const time = '2026-01-01T00:00:00.000Z';
        const event = { id, time, jobId: 'j', type: 'state', state, reason: '', attempt: 1 };
        response.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
      }
    }

    /** A job that has ended; the first stream goes as far as event `cut`, and breaks or ends there. */
    function serveJob(cut: number, isBroken: boolean): Promise<SkipringClient> {
      return serve((request, response, count) => {
        const path = (request.url ?? '').replace('/api/v1/jobs/j', '');
        const after = Number(request.headers['last-event-id'] ?? 0);
        answered.push(`${path} ${after}`);
        if (path === '') {
          answer(response, 200, endedJob);
          return;
        }
        sendEvents(response, after, count === 1 ? cut : states.length);
        if (count === 1 && isBroken) setTimeout(() => request.socket.destroy(), 50);
        else response.end();
      });
    }

    async function followed(client: SkipringClient): Promise<string[]> {
      const seen: string[] = [];
      for await (const event of client.follow('j'))
        if (event.type === 'state') seen.push(event.state);
      return seen;
    }

    it('past an end that was followed by a resumption', async () => {
      const client = await serveJob(states.length, false);
      expect(await followed(client)).toEqual(states);
    });

    it('on behind the last event seen when the stream breaks', async () => {
      const client = await serveJob(1, true);
      expect(await followed(client)).toEqual(states);
      expect(answered.slice(0, 2)).toEqual(['/events 0', '/events 1']);
    });

    it('while the coordinator is busy taking over', async () => {
      let numBusy = 0;
      const client = await serve((request, response) => {
        if (numBusy < 5) {
          numBusy += 1;
          answer(response, 503, { ...problem, status: 503, code: 'NOT_LEADER' });
        } else if (request.url?.includes('/events') === true) {
          sendEvents(response, Number(request.headers['last-event-id'] ?? 0), states.length);
          response.end();
        } else answer(response, 200, endedJob);
      });
      expect(await followed(client)).toEqual(states);
    });

    it.each([1, 2, 4])('to its last event when the stream ends behind event %i', async (cut) => {
      const client = await serveJob(cut, false);
      expect(await followed(client)).toEqual(states);
      const events = [`/events 0`, ' 0', `/events?follow=false ${cut}`];
      expect(answered.slice(0, 3)).toEqual(events);
    });
  });
});
