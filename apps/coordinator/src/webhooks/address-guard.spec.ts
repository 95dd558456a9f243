import { describe, expect, it } from 'vitest';
import { isPrivate, publicLookup, requirePublicHost } from './address-guard.js';

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'],
    ...['::1', '::', 'fe80::1', 'fd00::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1'],
    'no address',
  ])('%s is refused', (address) => {
    expect(isPrivate(address)).toBe(true);
  });

  it.each(['8.8.8.8', '172.32.0.1', '1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
    '%s is public',
    (address) => {
      expect(isPrivate(address)).toBe(false);
    },
  );
});

describe('a host', () => {
  it('that is written as a private address is refused, in every way to write it', () => {
    for (const url of [
      'http://127.0.0.1/',
      'http://0x7f.1/',
      'http://2130706433/',
      'http://[::1]/',
    ]) {
      expect(() => {
        requirePublicHost(new URL(url).hostname);
      }).toThrow('is not public');
    }
    expect(() => {
      requirePublicHost('example.org');
    }).not.toThrow();
  });

  it('whose name is a private address is refused when it is resolved', async () => {
    const error = await new Promise((done) => {
      publicLookup('localhost', {}, done);
    });
    expect(error).toMatchObject({ code: 'ADDRESS_PRIVATE' });
  });

  it('whose name is not known is an error of the call alone', async () => {
    const error = await new Promise((done) => {
      // Longer than a name can be: no server has to be asked.
      publicLookup('x'.repeat(300), {}, done);
    });
    expect(error).toMatchObject({ syscall: 'getaddrinfo' });
  });
});
