import { describe, expect, it } from 'vitest';
import { AwakeClock } from './awake-clock.js';

describe('AwakeClock', () => {
  it('goes on with its reader, and stands still while that does', () => {
    let rawMs = 5_000;
    const clock = new AwakeClock(() => rawMs);
    const read = (elapsedMs: number): number => {
      rawMs += elapsedMs;
      return clock.now();
    };
    expect(read(100)).toBe(5_100);
    expect(read(900)).toBe(6_000);
    expect(read(30_000)).toBe(6_000);
    expect(read(0)).toBe(6_000);
    expect(read(100)).toBe(6_100);
  });
});
