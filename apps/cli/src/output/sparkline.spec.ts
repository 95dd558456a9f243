import { describe, expect, it } from 'vitest';
import { sparkline } from './sparkline.js';

describe('sparkline', () => {
  it('goes from the lowest to the highest bar', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([7, 0], 8)).toBe('█▁');
  });

  it('shows means of long histories, and nothing of none', () => {
    const values = Array.from({ length: 1_000 }, (_, step) => (step < 500 ? 1 : 3));
    expect(sparkline(values, 4)).toBe('▁▁██');
    expect(sparkline([], 10)).toBe('');
    expect(sparkline([2, 2, Number.NaN], 10)).toBe('▁▁');
  });
});
