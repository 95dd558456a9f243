import { describe, expect, it } from 'vitest';
import { areLocal, parseMembers } from './members.js';

describe('parseMembers', () => {
  it('reads names, addresses of IPv4 and of IPv6', () => {
    expect(parseMembers('node-1.lan:7600, 10.0.0.2:7601,[fe80::1]:65535')).toEqual([
      { host: 'node-1.lan', port: 7600 },
      { host: '10.0.0.2', port: 7601 },
      { host: 'fe80::1', port: 65_535 },
    ]);
  });

  it.each(['a:1,b', 'a:1,b:0', 'a:1,b:70000', 'a:1,::1:5', 'a:1,', 'a:1,b c:2'])(
    'names what is wrong in %s',
    (text) => {
      expect(() => parseMembers(text)).toThrow(/--members: ".*": expected HOST:PORT/);
    },
  );

  it('expects at least two', () => {
    expect(() => parseMembers('a:1')).toThrow('--members a:1: expected HOST:PORT of two ranks');
  });
});

describe('areLocal', () => {
  it('is so on loopback alone', () => {
    expect(areLocal(parseMembers('127.0.0.1:1,localhost:2,[::1]:3'))).toBe(true);
    expect(areLocal(parseMembers('127.0.0.1:1,10.0.0.1:2'))).toBe(false);
  });
});
