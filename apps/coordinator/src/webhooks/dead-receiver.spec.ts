import { describe, expect, it } from 'vitest';
import { whyDead } from './dead-receiver.js';

const DAY_MS = 86_400_000;
const since = '2026-01-01T00:00:00.000Z';
const at = (ms: number): number => Date.parse(since) + ms;

describe('a receiver that fails', () => {
  it('is given up after 20 tries in a row over a day, and not before both', () => {
    expect(whyDead({ count: 19, since }, at(10 * DAY_MS))).toBeNull();
    expect(whyDead({ count: 10_000, since }, at(DAY_MS - 1))).toBeNull();
    expect(whyDead({ count: 20, since }, at(DAY_MS))).toBe(
      `20 tries in a row have failed since ${since}`,
    );
  });
});
