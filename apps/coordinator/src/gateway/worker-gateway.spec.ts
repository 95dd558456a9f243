import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GATEWAY_PATH, PROTOCOL_VERSION, type WorkerMessage } from '@skipring/protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WorkerEvents } from '../scheduling/ports.js';
import { WorkerGateway } from './worker-gateway.js';

let server: Server;
let gateway: WorkerGateway;
let told: string[];
let waiting: (() => void)[];

const workers: WorkerEvents = {
  workerConnected: ({ workerId }) => tell(`connected ${workerId}`),
  workerMessage: (workerId, _, { type }) => tell(`${type} of ${workerId}`),
  workerDisconnected: (workerId, _, reason) => tell(`disconnected ${workerId}: ${reason}`),
};

function tell(what: string): void {
  told.push(what);
  for (const wake of waiting.splice(0)) wake();
}

/** Resolves once this was told; the test's own deadline bounds it. */
async function heard(what: string): Promise<void> {
  while (!told.includes(what)) await new Promise<void>((wake) => waiting.push(wake));
}

beforeEach(async () => {
  told = [];
  waiting = [];
  server = createServer();
  gateway = new WorkerGateway(workers, {
    joinToken: null,
    maxConnections: 2,
    heartbeatIntervalMs: 50,
    heartbeatTimeoutMs: 60_000,
    computeSilenceLimitMs: 60_000,
    ring: { exchangeLimitBytes: 4_096 },
    log: pino({ level: 'silent' }),
  });
  gateway.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  gateway.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function dial(): WebSocket {
  const { port } = server.address() as AddressInfo;
  return new WebSocket(`ws://127.0.0.1:${port}${GATEWAY_PATH}`);
}

async function open(): Promise<WebSocket> {
  const socket = dial();
  await once(socket, 'open');
  return socket;
}

/** Asks again and again; the test's own deadline bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((wake) => setTimeout(wake, 20));
}

/** Status and code of an upgrade that is not granted. */
async function refused(): Promise<{ status: number | undefined; code: unknown }> {
  const socket = dial();
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const part of answer.setEncoding('utf8')) body += part as string;
  const { code } = JSON.parse(body) as { code: unknown };
  return { status: answer.statusCode, code };
}

function hello(workerId: string): string {
  return JSON.stringify({
    type: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    workerId,
    host: '127.0.0.1',
    ringPort: 40_000,
    device: { kind: 'cpu', name: 'none', memoryBytes: 0 },
    threads: 1,
    takesFaults: false,
    held: null,
  } satisfies WorkerMessage);
}

describe('the gateway', () => {
  it('takes so many workers at a time, and one that leaves makes room', async () => {
    const first = await open();
    await open();
    expect(await refused()).toEqual({ status: 503, code: 'TOO_MANY_WORKERS' });
    first.send(hello('w1'));
    await heard('connected w1');
    first.close();
    await heard('disconnected w1: connection closed (1005)');
    await open();
    expect(await refused()).toEqual({ status: 503, code: 'TOO_MANY_WORKERS' });
  });

  it('tells each worker how its cluster beats and how rings reduce', async () => {
    const socket = await open();
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(hello('w1'));
    const [message] = await answer;
    expect(JSON.parse(message.toString())).toEqual({
      type: 'welcome',
      protocolVersion: PROTOCOL_VERSION,
      heartbeatIntervalMs: 50,
      heartbeatTimeoutMs: 60_000,
      computeSilenceLimitMs: 60_000,
      ring: { exchangeLimitBytes: 4_096 },
    });
  });

  it('pings each connection, so that a worker sees a silent coordinator', async () => {
    const socket = await open();
    await once(socket, 'ping');
    await once(socket, 'ping');
  });

  it('tells of no worker that has not said hello', async () => {
    const silent = await open();
    const speaking = await open();
    silent.close();
    await once(silent, 'close');
    speaking.send(hello('w2'));
    await heard('connected w2');
    expect(told).toEqual(['connected w2']);
  });

  it('that closes says so to each worker, counts none as lost and takes no more', async () => {
    const socket = await open();
    socket.send(hello('w3'));
    await heard('connected w3');
    const closed = once(socket, 'close');
    gateway.close();
    const [code, reason] = (await closed) as [number, Buffer];
    expect({ code, reason: String(reason) }).toEqual({
      code: 1001,
      reason: 'the coordinator stops',
    });
    expect(told).toEqual(['connected w3']);
    expect(await refused()).toEqual({ status: 503, code: 'SHUTTING_DOWN' });
  });

  it('ends a socket that does not answer the closing', async () => {
    const socket = await open();
    socket.pause();
    gateway.close();
    await until(() => gateway.numConnections === 0);
    socket.terminate();
  });
});
