import { describe, expect, it } from 'vitest';
import { growthOf, slopeWithin, type Growth, type UsageSample } from './growth.js';

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

const slopeOf = (...lives: UsageSample[][]) =>
  slopeWithin(lives.map((samples) => growthOf(samples)!));

/** Between -0.5 and 0.5, the same for the same number. */
const noise = (seed: number): number => ((Math.sin(seed * 12.9898) * 43_758.5453) % 1) / 2;

describe('growth of a process', () => {
  it('is none when it holds the same after its warm-up, whatever it took before', () => {
    const samples = life(10, (age) => [age < 1.9 ? 100 * age : 400, age < 1 ? 10 : 31]);
    expect(growthOf(samples)).toMatchObject({ measuredMs: 8 * 60_000, numMoreDescriptors: 0 });
    expect(slopeOf(samples)).toEqual({ mbPerMinute: 0, low: 0, high: 0 });
  });

  it('is the slope of a leak, and not of what is taken and given back', () => {
    const leak = life(10, (age) => [200 + 3 * age, 20 + Math.floor(age)]);
    expect(slopeOf(leak).mbPerMinute).toBeCloseTo(3, 6);
    expect(slopeOf(leak).low).toBeCloseTo(3, 6);
    expect(growthOf(leak)?.numMoreDescriptors).toBe(8);
    const saw = slopeOf(life(10, (age) => [200 + 80 * (age % 0.7), 20]));
    expect(saw.low).toBeLessThanOrEqual(0);
    expect(saw.high).toBeGreaterThanOrEqual(0);
    const peak = slopeOf(life(10, (age) => [Math.abs(age - 9) < 0.3 ? 900 : 200, 20]));
    expect(peak).toEqual({ mbPerMinute: 0, low: 0, high: 0 });
  });

  it('is not known of a short life, or of one that was not looked at for long', () => {
    expect(growthOf([])).toBeNull();
    expect(growthOf(life(9.9, () => [100, 10]))).toBeNull();
    expect(growthOf(life(10, () => [100, 10]))).not.toBeNull();
    const gap = life(10, () => [100, 10]).filter((_, index) => index < 120 || index > 180);
    expect(growthOf(gap)).toBeNull();
  });
});

describe('the slope within lives', () => {
  it('has the interval of Sen for one life', () => {
    // Of ten points 45 slopes, here 1 to 45; 1.96 deviations of their order are 21.9 places.
    const memory = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((x) => [x, x * x] as const);
    const slopes = memory
      .flatMap(([x], index) => memory.slice(index + 1).map(([other]) => x + other))
      .sort((a, b) => a - b);
    expect(slopeWithin([{ memory }])).toEqual({
      mbPerMinute: slopes[22],
      low: slopes[11],
      high: slopes[33],
    });
  });

  it('does not take a difference between lives for growth, and is surer of more of them', () => {
    const lives = [1, 2, 3, 4].map((number): Pick<Growth, 'memory'> => ({
      memory: Array.from({ length: 10 }, (_, x) => [
        x,
        100 * number + 0.2 * x + noise(10 * number + x),
      ]),
    }));
    const one = slopeWithin(lives.slice(0, 1));
    const all = slopeWithin(lives);
    expect(all.high - all.low).toBeLessThan(one.high - one.low);
    expect(all.low).toBeGreaterThan(0.1);
    expect(all.high).toBeLessThan(0.3);
  });
});
