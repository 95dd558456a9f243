import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';
import { readMachine } from './machine.js';
import { isAtLeast, unsupportedReason } from './support.js';

const FIT: Machine = {
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '20.19.0',
  glibcVersion: '2.36',
  cpuModel: 'a processor',
  cpuFlags: new Set(['avx', 'avx2']),
  numCores: 2,
  memoryBytes: 8e9,
};

describe('unsupportedReason', () => {
  it('finds nothing wrong with a fit machine, nor with this one', () => {
    expect(unsupportedReason(FIT)).toBeUndefined();
    expect(unsupportedReason(readMachine())).toBeUndefined();
  });

  it.each([
    [{ platform: 'darwin' }, 'UNSUPPORTED_PLATFORM', 'Linux'],
    [{ arch: 'arm64' }, 'UNSUPPORTED_ARCHITECTURE', 'x86-64'],
    [{ nodeVersion: '20.18.3' }, 'UNSUPPORTED_NODE', '20.19'],
    [{ glibcVersion: undefined }, 'UNSUPPORTED_LIBC', 'node:22-slim'],
    [{ glibcVersion: '2.17' }, 'UNSUPPORTED_GLIBC', '2018'],
    [{ cpuFlags: new Set(['sse4_2']) }, 'UNSUPPORTED_CPU', 'processor'],
  ] as const)('%o: %s', (change, code, fix) => {
    const reason = unsupportedReason({ ...FIT, ...change });
    expect(reason?.code).toBe(code);
    expect(reason?.fix).toContain(fix);
  });

  it('compares versions as numbers', () => {
    expect(isAtLeast('2.9', [2, 27])).toBe(false);
    expect(isAtLeast('3.0', [2, 27])).toBe(true);
    expect(isAtLeast('2.27.1', [2, 27])).toBe(true);
  });
});
