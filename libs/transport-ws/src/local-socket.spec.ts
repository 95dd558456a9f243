import { createServer, type Server } from 'node:net';
import { allReduce, type Transport } from '@skipring/collective';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRing } from './connect-ring.js';
import type { DialTarget } from './dial.js';
import { localPath, newLocalName } from './local-socket.js';
import { RingListener } from './ring-listener.js';
import { FENCE, listenAll, LOOPBACK, RING_TOKEN } from './testing/web-socket-group.js';

const hasLocalSockets = process.platform === 'linux';

let listeners: RingListener[] = [];
let transports: Transport[] = [];
let servers: Server[] = [];
afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  await Promise.all(listeners.map((listener) => listener.close()));
  for (const server of servers) server.close();
  [listeners, transports, servers] = [[], [], []];
});

/** A ring of two whose ranks are told these addresses; it must add up. */
async function expectRing(members: readonly DialTarget[]): Promise<void> {
  transports = await Promise.all(
    listeners.map((listener, rank) =>
      connectRing({
        listener,
        fence: FENCE,
        rank,
        members,
        ringToken: RING_TOKEN,
        deadlineMs: 10_000,
      }),
    ),
  );
  const sums = await Promise.all(
    transports.map(async (transport) => {
      const vector = new Int32Array(300_000).fill(transport.rank + 1);
      await allReduce(transport, vector, { deadlineMs: 10_000 });
      return vector.every((value) => value === 3);
    }),
  );
  expect(sums).toEqual([true, true]);
}

const portsOf = () => listeners.map(({ port }) => ({ host: LOOPBACK, port }));

/** Nothing listens there any more. */
async function freePort(): Promise<number> {
  const listener = await RingListener.listen({ host: LOOPBACK, port: 0 });
  const { port } = listener;
  await listener.close();
  return port;
}

describe.runIf(hasLocalSockets)('local sockets', { timeout: 15_000 }, () => {
  it('are enough for ranks of one machine', async () => {
    listeners = await listenAll(2);
    const port = await freePort();
    await expectRing(
      listeners.map(({ localName }) => ({ host: LOOPBACK, port, localName: localName! })),
    );
  });

  it('give way to TCP where nobody listens at the name', async () => {
    listeners = await listenAll(2);
    await expectRing(portsOf().map((place) => ({ ...place, localName: newLocalName()! })));
  });

  it('give way to TCP where another rank listens at the name', async () => {
    listeners = await listenAll(2);
    const [first, second] = portsOf();
    // Each finds itself there, as if its own machine had the name of the other's.
    await expectRing([
      { ...first!, localName: listeners[1]!.localName! },
      { ...second!, localName: listeners[0]!.localName! },
    ]);
  });

  it('give way to TCP where a stranger listens at the name', async () => {
    listeners = await listenAll(2);
    const localName = newLocalName()!;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen({ path: localPath(localName) }, resolve));
    await expectRing(portsOf().map((place) => ({ ...place, localName })));
  });

  it('are not dialled by a rank that has none', async () => {
    const [withNone, withOne] = await Promise.all([
      RingListener.listen({ host: LOOPBACK, port: 0, localSockets: false }),
      RingListener.listen({ host: LOOPBACK, port: 0 }),
    ]);
    listeners = [withNone, withOne];
    let numDialled = 0;
    const server = createServer((socket) => {
      numDialled++;
      socket.destroy();
    });
    servers.push(server);
    const localName = newLocalName()!;
    await new Promise<void>((resolve) => server.listen({ path: localPath(localName) }, resolve));
    const [first, second] = portsOf();
    await expectRing([first!, { ...second!, localName }]);
    expect([withNone.localName, numDialled]).toEqual([null, 0]);
  });

  it('have names that differ, and are gone with the listener', async () => {
    listeners = await listenAll(2);
    const names = listeners.map(({ localName }) => localName!);
    expect(new Set(names).size).toBe(2);
    await Promise.all(listeners.map((listener) => listener.close()));
    listeners = [];
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: localPath(names[0]!) }, resolve);
    });
  });
});
