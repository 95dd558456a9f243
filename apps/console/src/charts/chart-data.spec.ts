import { describe, expect, it } from 'vitest';
import { joinCurves, panned, smooth, zoomed } from './chart-data.js';

describe('joinCurves', () => {
  it('puts curves of different points over one axis', () => {
    const joined = joinCurves([
      { name: 'a', x: [1, 2, 4], y: [10, 20, null], color: 0 },
      { name: 'b', x: [2, 3], y: [5, 6], color: 1 },
    ]);
    expect(joined).toEqual([
      [1, 2, 3, 4],
      [10, 20, undefined, null],
      [undefined, 5, 6, undefined],
    ]);
  });

  it('of nothing is empty', () => {
    expect(joinCurves([])).toEqual([[]]);
  });
});

describe('smooth', () => {
  const x = Array.from({ length: 1_000 }, (_, i) => i);

  it('keeps a constant, also at the beginning', () => {
    for (const value of smooth(
      x,
      x.map(() => 3),
      0.9,
      1,
    ))
      expect(value).toBeCloseTo(3);
  });

  it('of weight 0 changes nothing', () => {
    expect(smooth([1, 2], [5, null], 0, 1)).toEqual([5, null]);
  });

  it('takes the noise out and follows the trend', () => {
    const noisy = x.map((i) => i / 100 + (i % 2 === 0 ? 1 : -1));
    const smoothed = smooth(x, noisy, 0.95, 1);
    expect(smoothed[900]).toBeGreaterThan(8.5);
    expect(smoothed[900]).toBeLessThan(9.2);
  });

  it('weighs by distance: a thinned history is smoothed as the whole', () => {
    const whole = smooth(
      x,
      x.map((i) => Math.sin(i / 100)),
      0.98,
      1,
    );
    const thinX = x.filter((i) => i % 10 === 0);
    const thin = smooth(
      thinX,
      thinX.map((i) => Math.sin(i / 100)),
      0.98,
      1,
    );
    for (let i = 20; i < 100; i++) expect(thin[i]).toBeCloseTo(whole[i * 10] ?? 0, 0);
  });

  it('passes over what is no number', () => {
    expect(smooth([0, 1, 2], [1, NaN, 1], 0.5, 1)).toEqual([1, null, 1]);
  });
});

describe('ranges', () => {
  const bounds = { min: 0, max: 100 };

  it('stay inside the bounds', () => {
    expect(panned({ min: 80, max: 100 }, bounds, 0.5)).toEqual({ min: 80, max: 100 });
    expect(panned({ min: 10, max: 30 }, bounds, -0.25)).toEqual({ min: 5, max: 25 });
    expect(zoomed({ min: 40, max: 60 }, bounds, 0.5, 50)).toEqual({ min: 45, max: 55 });
    expect(zoomed({ min: 40, max: 60 }, bounds, 100, 50)).toEqual(bounds);
  });
});
