import { describe, expect, it } from 'vitest';
import { heatColor, heatScale, heatShare } from './heat-colors.js';

describe('a heat map', () => {
  it('goes from one end of its colours to the other', () => {
    expect([heatColor(0), heatColor(0.5), heatColor(1)]).toEqual([
      [68, 1, 84],
      [33, 145, 140],
      [253, 231, 37],
    ]);
    expect([heatColor(-1), heatColor(2)]).toEqual([heatColor(0), heatColor(1)]);
  });

  it('is logarithmic where values span orders of magnitude', () => {
    const wide = heatScale([0.001, null, 1, 10]);
    expect(wide).toEqual({ least: 0.001, greatest: 10, isLog: true });
    expect(heatShare(wide, 0.1)).toBeCloseTo(0.5);
    expect(heatScale([-1, 50]).isLog).toBe(false);
    expect(heatShare(heatScale([0, 4]), 1)).toBe(0.25);
  });

  it('of one value only has one colour', () => {
    expect(heatShare(heatScale([3, 3]), 3)).toBe(0.5);
    expect(heatScale([null]).greatest).toBe(-Infinity);
  });
});
