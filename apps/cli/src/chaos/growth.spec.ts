import { describe, expect, it } from 'vitest';
import { growthOf, medianSlope, type UsageSample } from './growth.js';

const INTERVAL_MS = 2_000;

/** Of a process that lives so long; `usage` of its age in minutes: MB and descriptors. */
function life(minutes: number, usage: (age: number) => [mb: number, fds: number]): UsageSample[] {
  const numSamples = Math.floor((minutes * 60_000) / INTERVAL_MS) + 1;
  return Array.from({ length: numSamples }, (_, index) => {
    const atMs = index * INTERVAL_MS;
    const [mb, numDescriptors] = usage(atMs / 60_000);
    return { atMs: 7_000_000 + atMs, residentBytes: mb * 1e6, numDescriptors };
  });
}

describe('growth of a process', () => {
  it('is none when it holds the same after its warm-up, whatever it took before', () => {
    const growth = growthOf(life(10, (age) => [age < 1.9 ? 100 * age : 400, age < 1 ? 10 : 31]));
    expect(growth).toEqual({
      measuredMs: 8 * 60_000,
      mbPerMinute: 0,
      numMoreDescriptors: 0,
    });
  });

  it('is the slope of a leak, and not of what is taken and given back', () => {
    const leak = growthOf(life(10, (age) => [200 + 3 * age, 20 + Math.floor(age)]));
    expect(leak?.mbPerMinute).toBeCloseTo(3, 6);
    expect(leak?.numMoreDescriptors).toBe(8);
    const saw = growthOf(life(10, (age) => [200 + 80 * (age % 1), 20]));
    expect(Math.abs(saw!.mbPerMinute)).toBeLessThan(2);
    const peaks = growthOf(life(10, (age) => [Math.abs(age - 9) < 0.4 ? 900 : 200, 20]));
    expect(peaks?.mbPerMinute).toBe(0);
  });

  it('is not known of a short life', () => {
    expect(growthOf([])).toBeNull();
    expect(growthOf(life(1.3, () => [100, 10]))).toBeNull();
    expect(growthOf(life(1.5, () => [100, 10]))).not.toBeNull();
    const few = life(10, () => [100, 10]).filter((_, index) => index % 60 === 0);
    expect(growthOf(few)).toBeNull();
  });
});

describe('medianSlope', () => {
  it('does not follow a quarter of wild points', () => {
    const points = Array.from({ length: 40 }, (_, x) => [x, x > 32 ? 1e6 : 2 * x + 1] as const);
    expect(medianSlope(points)).toBeCloseTo(2, 6);
  });

  it('takes many points, and refuses those of one x', () => {
    const many = Array.from({ length: 5_000 }, (_, x) => [x, 0.5 * x] as const);
    expect(medianSlope(many)).toBeCloseTo(0.5, 9);
    expect(() => medianSlope([[1, 2]])).toThrow(RangeError);
    expect(() =>
      medianSlope([
        [1, 2],
        [1, 3],
      ]),
    ).toThrow(RangeError);
  });
});
