import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { jobViewSchema } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitingJob } from '../support/coordinator.js';
import {
  runCoordinator,
  startCoordinatorProcess,
  type CoordinatorProcess,
} from '../support/coordinator-process.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});

afterAll(() => redis.stop());

async function register({ url }: CoordinatorProcess): Promise<void> {
  const registration = { name: 'tiny', format: 'glyphs', trainSamples: 20, testSamples: 10 };
  const response = await fetch(`${url}/api/v1/data-sets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(registration),
  });
  await response.text();
}

/** A connection that collects what it receives. */
function open(port: number): { socket: Socket; received: () => string } {
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { socket, received: () => text };
}

describe.each(['SIGTERM', 'SIGINT'] as const)('a coordinator told to stop by %s', (signal) => {
  it('completes the request in progress, ends event streams and exits', async () => {
    const coordinator = await startCoordinatorProcess(redis.url);
    try {
      await register(coordinator);
      const body = JSON.stringify(waitingJob({ name: 'in-flight', delayMs: 3_600_000 }));
      const submitted = await fetch(`${coordinator.url}/api/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const { id } = jobViewSchema.parse(await submitted.json());
      const events = open(coordinator.port);
      events.socket.write(`GET /api/v1/jobs/${id}/events HTTP/1.1\r\nHost: x\r\n\r\n`);
      await until('the first event', () => (events.received().includes('data: ') ? true : null));

      const request = open(coordinator.port);
      request.socket.write(
        'POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
          `Expect: 100-continue\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
      );
      await until('the request is being handled', () =>
        request.received().includes('100 Continue') ? true : null,
      );
      const eventsEnded = once(events.socket, 'close');
      const requestEnded = once(request.socket, 'close');
      coordinator.kill(signal);
      await eventsEnded;
      // The last chunk of a complete answer.
      expect(events.received()).toMatch(/\r\n0\r\n\r\n$/);

      request.socket.write(body);
      await requestEnded;
      expect(request.received()).toContain('HTTP/1.1 201 Created');
      expect(request.received()).toContain('"name":"in-flight"');

      const { code, output, errors } = await coordinator.ended;
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output.trim().split('\n').at(-1)).toContain('"msg":"stopped"');
    } finally {
      await coordinator.stop();
    }
  });
});

describe('a coordinator', () => {
  it('does not wait for idle connections when it stops', async () => {
    const coordinator = await startCoordinatorProcess(redis.url);
    try {
      const idle = open(coordinator.port);
      idle.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      await until('the answer', () => (idle.received().includes('"ok"') ? true : null));
      const closed = once(idle.socket, 'close');
      coordinator.kill('SIGTERM');
      await closed;
      expect((await coordinator.ended).code).toBe(0);
    } finally {
      await coordinator.stop();
    }
  });

  it('names every problem of its environment and does not start', async () => {
    const { code, errors } = await runCoordinator({
      SKIPRING_PORT: '99999',
      SKIPRING_LOG_LEVEL: 'loud',
      REDIS_URL: 'http://user:secret@x',
    });
    expect(code).toBe(2);
    for (const name of ['SKIPRING_PORT="99999"', 'SKIPRING_LOG_LEVEL="loud"', 'REDIS_URL=']) {
      expect(errors).toContain(name);
    }
    expect(errors).not.toContain('secret');
  });

  it('without tokens serves this machine alone', async () => {
    const { code, errors } = await runCoordinator({ SKIPRING_HOST: '0.0.0.0' });
    expect(code).toBe(2);
    expect(errors).toContain('SKIPRING_API_TOKEN is not set');
    expect(errors).toContain('SKIPRING_JOIN_TOKEN is not set');
  });

  it('without Redis says so and fails', async () => {
    const { code, output, errors } = await runCoordinator({
      REDIS_URL: 'redis://127.0.0.1:1',
      SKIPRING_PORT: '0',
      SKIPRING_LOG_LEVEL: 'error',
    });
    expect(code).toBe(1);
    expect(errors).toContain('Redis did not answer');
    expect(output).toContain('"code":"STORE_UNAVAILABLE"');
  });
});
