import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { ClientSocket, type MessageHandler } from './client-socket.js';
import { acceptFor } from './rfc6455.js';
import { LOOPBACK } from './testing/web-socket-group.js';

const servers: (Server | WebSocketServer)[] = [];
const clients: ClientSocket[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
  for (const server of servers.splice(0)) server.close();
});

type Ending =
  | { readonly how: 'open' }
  | { readonly how: 'refused'; readonly status: number }
  | { readonly how: 'failed'; readonly message: string };

/** Dials; resolves when the handshake has ended. */
function dialTo(
  port: number,
  handler: Partial<MessageHandler> = {},
  handshakeTimeoutMs = 5_000,
): { client: ClientSocket; ending: Promise<Ending> } {
  let end: (ending: Ending) => void = () => undefined;
  const ending = new Promise<Ending>((resolve) => (end = resolve));
  const client = new ClientSocket({
    host: LOOPBACK,
    port,
    path: '/',
    tls: null,
    headers: () => ({ 'x-test': 'yes' }),
    handshakeTimeoutMs,
    onOpen: () => {
      client.attach({
        maxMessageBytes: 1_000_000,
        begin: () => new Uint8Array(1_000_000),
        progress: () => undefined,
        end: () => undefined,
        onError: () => undefined,
        onClose: () => undefined,
        ...handler,
      });
      end({ how: 'open' });
    },
    onRefused: ({ status }) => {
      end({ how: 'refused', status });
    },
    onFailed: ({ message }) => {
      end({ how: 'failed', message });
    },
  });
  clients.push(client);
  return { client, ending };
}

/** A TCP server that answers the request for an upgrade with what `answer` makes of its key. */
async function rawServer(answer: (key: string) => string | null) {
  let accept: (socket: Socket) => void = () => undefined;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request.toString())?.[1] ?? '';
      const text = answer(key);
      if (text !== null) socket.write(text, 'latin1');
      accept(socket);
    });
  });
  servers.push(server);
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, accepted };
}

const upgrade = (key: string, more = '') =>
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n${more}\r\n`;

describe('ClientSocket', { timeout: 10_000 }, () => {
  it.each([
    ['a wrong accept', (key: string) => upgrade(`${key}!`), 'no upgrade that was asked for'],
    [
      'an extension',
      (key: string) => upgrade(key, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
      'no upgrade that was asked for',
    ],
    ['no HTTP', () => 'SSH-2.0-OpenSSH\r\n\r\n', 'no HTTP/1.1 response'],
    ['a broken header', (key: string) => upgrade(key, 'no colon\r\n'), 'a broken header'],
    ['too many headers', (key: string) => upgrade(key, 'a: b\r\n'.repeat(200)), 'headers'],
    ['an endless head', () => `HTTP/1.1 101 x\r\n${'a: b\r\n'.repeat(5_000)}`, '8192 bytes'],
    ['silence', () => null, 'no answer within 100 ms'],
  ])('fails on %s', async (_what, answer, message) => {
    const { port } = await rawServer(answer);
    const { ending } = dialTo(port, {}, 100 * (answer('') === null ? 1 : 50));
    expect(await ending).toEqual({
      how: 'failed',
      message: expect.stringContaining(message) as string,
    });
  });

  it('hands on a refusal', async () => {
    const { port } = await rawServer(() => 'HTTP/1.1 503 Service Unavailable\r\n\r\n');
    expect(await dialTo(port).ending).toEqual({ how: 'refused', status: 503 });
  });

  it('reads what comes in one piece with the upgrade, and byte by byte', async () => {
    const { port, accepted } = await rawServer((key) => `${upgrade(key)}\x82\x01a`);
    const messages: string[] = [];
    const target = new Uint8Array(4);
    let heard: () => void = () => undefined;
    const { ending } = dialTo(port, {
      begin: () => target,
      end: (numBytes) => {
        messages.push(Buffer.from(target.subarray(0, numBytes)).toString());
        if (messages.length === 2) heard();
      },
    });
    const both = new Promise<void>((resolve) => (heard = resolve));
    expect(await ending).toEqual({ how: 'open' });
    const socket = await accepted;
    for (const byte of [0x82, 2, 98, 99]) {
      await new Promise<void>((resolve) => {
        socket.write(Uint8Array.of(byte), () => {
          resolve();
        });
      });
    }
    await both;
    expect(messages).toEqual(['a', 'bc']);
  });

  it('understands and is understood by ws: fragments, pings, messages, the closing handshake', async () => {
    const server = new WebSocketServer({ host: LOOPBACK, port: 0 });
    servers.push(server);
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const messages: string[] = [];
    const target = new Uint8Array(200_000);
    let closed: (code: number) => void = () => undefined;
    const closing = new Promise<number>((resolve) => (closed = resolve));
    const { client, ending } = dialTo((server.address() as AddressInfo).port, {
      begin: () => target,
      end: (numBytes) => messages.push(Buffer.from(target.subarray(0, numBytes)).toString()),
      onClose: (code) => {
        closed(code);
      },
    });
    await ending;
    const [peer] = await connected;
    const ponged = once(peer, 'pong');
    peer.send('one ', { binary: true, fin: false });
    peer.ping('here?');
    peer.send('message', { binary: true, fin: true });
    peer.send('x'.repeat(150_000), { binary: true });
    expect(String((await ponged)[0])).toBe('here?');
    const received = once(peer, 'message');
    client.send(Buffer.from('hello'));
    expect(String((await received)[0])).toBe('hello');
    peer.close(4_321, 'done');
    expect(await closing).toBe(4_321);
    expect(messages.map((message) => message.length)).toEqual([11, 150_000]);
    expect(messages[0]).toBe('one message');
  });

  it('writes nothing to a message after close, also in the middle of it', async () => {
    const { port, accepted } = await rawServer(upgrade);
    const target = new Uint8Array(200_000);
    let begun: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const { client, ending } = dialTo(port, {
      begin: () => {
        begun();
        return target;
      },
    });
    await ending;
    const socket = await accepted;
    socket.write(Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 3, 0x0d, 0x40]));
    await beginning;
    const closing = client.close(1_000, 200);
    const before = Buffer.from(target).toString('base64');
    socket.write(Buffer.alloc(100_000, 7));
    await closing;
    expect(Buffer.from(target).toString('base64')).toBe(before);
  });

  it('tells of the end of a stream without a close frame', async () => {
    const { port, accepted } = await rawServer(upgrade);
    const closing = new Promise<number>((resolve) => {
      void dialTo(port, { onClose: resolve }).ending;
    });
    (await accepted).destroy();
    expect(await closing).toBe(1_006);
  });
});
