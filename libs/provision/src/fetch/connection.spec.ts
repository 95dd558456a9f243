import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { basicAuthorization, tunnel, usesProxy } from './connection.js';

describe('usesProxy', () => {
  const index = { proxyUrl: 'http://proxy:3128', noProxy: ['localhost', '.internal'] };
  it.each([
    ['https://files.example/a', true],
    ['http://files.example/a', false],
    ['https://localhost/a', false],
    ['https://mirror.internal/a', false],
    ['https://notinternal/a', true],
  ])('%s: %s', (url, expected) => {
    expect(usesProxy(new URL(url), index)).toBe(expected);
  });

  it('is off without a proxy, and for every host with *', () => {
    const url = new URL('https://files.example/');
    expect(usesProxy(url, { noProxy: [] })).toBe(false);
    expect(usesProxy(url, { ...index, noProxy: ['*'] })).toBe(false);
  });
});

describe('tunnel', () => {
  it('sends its credentials, and says that the proxy refuses', async () => {
    const seen: unknown[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      seen.push(request.url, request.headers['proxy-authorization']);
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const proxyUrl = `http://me:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await expect(
      tunnel(new URL('https://files.example/a'), proxyUrl, [], 1000),
    ).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('407') as string,
    });
    expect(seen).toEqual(['files.example:443', basicAuthorization(new URL('http://me:p%40ss@x'))]);
    expect(seen[1]).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    await new Promise((resolve) => proxy.close(resolve));
  });
});
