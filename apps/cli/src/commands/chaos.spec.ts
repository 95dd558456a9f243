import { describe, expect, it } from 'vitest';
import { parseKinds } from './chaos.js';

describe('--without', () => {
  it('takes kinds of faults', () => {
    expect(parseKinds(undefined)).toEqual([]);
    expect(parseKinds('killCoordinator,kill')).toEqual(['kill', 'killCoordinator']);
  });

  it('refuses an unknown kind, and to leave nothing to do', () => {
    expect(() => parseKinds('kill,pull')).toThrow(/--without: "pull"; expected some of kill, /);
    const all = 'freeze,hang,delaySegments,dropSegments,corruptFrame,fillDisk';
    expect(() => parseKinds(all)).toThrow(/expected one of freeze, .* to be left/);
  });
});
