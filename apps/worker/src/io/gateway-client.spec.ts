import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PROTOCOL_VERSION, type CoordinatorMessage, type WorkerMessage } from '@skipring/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { GatewayClient } from './gateway-client.js';

const WELCOME: CoordinatorMessage = {
  type: 'welcome',
  protocolVersion: PROTOCOL_VERSION,
  heartbeatIntervalMs: 1_000,
  heartbeatTimeoutMs: 60_000,
  computeSilenceLimitMs: 60_000,
};
const HELLO: WorkerMessage = {
  type: 'hello',
  protocolVersion: PROTOCOL_VERSION,
  workerId: 'the-worker',
  host: 'localhost',
  ringPort: 4000,
  device: { kind: 'cpu', name: 'test', memoryBytes: 0 },
  threads: 1,
  takesFaults: false,
  held: null,
};

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A coordinator's gateway that notes what workers say first; `port` 0 takes any. */
async function gateway(port: number, onHello: (hello: unknown, socket: WebSocket) => void) {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  server.on('connection', (socket) => {
    socket.once('message', (data: Buffer) => {
      onHello(JSON.parse(data.toString('utf8')), socket);
    });
  });
  await once(server, 'listening');
  const close = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  cleanUps.push(close);
  return { port: (server.address() as AddressInfo).port, close };
}

function connect(port: number) {
  const seen: string[] = [];
  const client = new GatewayClient(
    { coordinatorUrl: `http://127.0.0.1:${port}`, joinToken: null, hello: () => HELLO },
    {
      onMessage: ({ type }) => seen.push(type),
      onClosed: () => seen.push('closed'),
      onRefused: (code) => seen.push(`refused ${code}`),
    },
  );
  cleanUps.push(() => {
    client.close();
  });
  client.open();
  return { client, seen };
}

describe('the gateway client', () => {
  it('comes back under the same id to a coordinator that restarted', async () => {
    const hellos: unknown[] = [];
    const onHello = (hello: unknown, socket: WebSocket): void => {
      hellos.push(hello);
      socket.send(JSON.stringify(WELCOME));
    };
    const first = await gateway(0, onHello);
    const { seen } = connect(first.port);
    await vi.waitFor(() => {
      expect(seen).toEqual(['welcome']);
    });
    first.close();
    await vi.waitFor(() => {
      expect(seen).toContain('closed');
    });
    await gateway(first.port, onHello);
    await vi.waitFor(
      () => {
        expect(seen.at(-1)).toBe('welcome');
      },
      { timeout: 20_000 },
    );
    expect(hellos).toEqual([HELLO, HELLO]);
  });

  it('tries again after ever longer delays, up to a limit', async () => {
    const { port, close } = await gateway(0, () => undefined);
    close();
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout');
    cleanUps.push(() => {
      setTimeoutSpy.mockRestore();
    });
    const { seen } = connect(port);
    await vi.waitFor(
      () => {
        expect(seen.length).toBeGreaterThanOrEqual(3);
      },
      { timeout: 20_000 },
    );
    const delays = setTimeoutSpy.mock.calls.map(([, ms]) => ms);
    expect(delays.filter((ms) => ms === 200 || ms === 400 || ms === 800)).toEqual([200, 400, 800]);
  });

  it('does not come back after a refusal that is final', async () => {
    let numClosed = 0;
    const { port } = await gateway(0, (_hello, socket) => {
      const refusal = { type: 'refused', code: 'PROTOCOL_VERSION', message: 'version 2 is needed' };
      socket.on('close', () => {
        numClosed += 1;
      });
      socket.send(JSON.stringify(refusal), () => {
        socket.close();
      });
    });
    const { seen } = connect(port);
    const later = connect(port);
    await vi.waitFor(() => {
      expect(numClosed).toBe(2);
      expect(later.seen).toEqual(['refused PROTOCOL_VERSION']);
    });
    expect(seen).toEqual(['refused PROTOCOL_VERSION']);
  });

  it('closes a connection on which a message is not understood, and comes back', async () => {
    let numHellos = 0;
    const { port } = await gateway(0, (_hello, socket) => {
      numHellos += 1;
      socket.send(numHellos === 1 ? 'nonsense' : JSON.stringify(WELCOME));
    });
    const { seen } = connect(port);
    await vi.waitFor(
      () => {
        expect(seen).toEqual(['closed', 'welcome']);
      },
      { timeout: 20_000 },
    );
  });
});
