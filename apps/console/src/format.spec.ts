import { describe, expect, it } from 'vitest';
import { ago, bytes, duration, percent, significant } from './format.js';

describe('what people read', () => {
  it('durations have two units', () => {
    const texts = [450, 4_400, 65_000, 3_900_000, 90_000_000].map(duration);
    expect(texts).toEqual(['450 ms', '4 s', '1 min 05 s', '1 h 05 min', '1 d 1 h']);
    expect(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:42Z'))).toBe('42 s ago');
    expect(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:02Z'))).toBe('just now');
  });

  it('numbers have the digits that matter', () => {
    expect([0, 0.123456, 12.3456, 123_456, 1.5e-7].map(significant)).toEqual([
      '0',
      '0.1235',
      '12.35',
      '123,456',
      '1.50e-7',
    ]);
    expect([12, 1_234, 5_000_000_000].map(bytes)).toEqual(['12 B', '1.23 kB', '5.00 GB']);
    expect([percent(0.98765), percent(null)]).toEqual(['98.77 %', '–']);
  });
});
