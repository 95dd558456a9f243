import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './http.js';

const nowMs = Date.parse('2026-05-01T12:00:00Z');
const after = (text: string): number => retryAfterMs(new Headers({ 'retry-after': text }), nowMs);

describe('Retry-After', () => {
  it('is a number of seconds or a date, and at most 30 s are waited', () => {
    expect(after('2')).toBe(2_000);
    expect(after('Fri, 01 May 2026 12:00:05 GMT')).toBe(5_000);
    expect(after('3600')).toBe(30_000);
  });

  it('is nothing when it is absent, past or not readable', () => {
    expect(retryAfterMs(new Headers())).toBe(0);
    for (const text of ['Fri, 01 May 2026 11:59:00 GMT', 'soon', '-1', '']) {
      expect(after(text)).toBe(0);
    }
  });
});
