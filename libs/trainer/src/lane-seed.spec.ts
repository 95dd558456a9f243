import { describe, expect, it } from 'vitest';
import { laneSeed } from './lane-seed.js';

describe('laneSeed', () => {
  it('is an int32 >= 0, unlike for neighbouring seeds, steps and lanes', () => {
    const seeds = [0, 1, 2, 3].flatMap((job) =>
      Array.from({ length: 500 }, (_, step) =>
        [0, 1, 2, 3, 4, 5, 6, 7].map((lane) => laneSeed(job, step, lane)),
      ).flat(),
    );
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)).toBe(true);
    expect(new Set(seeds).size).toBeGreaterThan(seeds.length - 3);
  });

  it('never changes: a checkpoint depends on it', () => {
    expect([laneSeed(1, 0, 0), laneSeed(1, 0, 1), laneSeed(1, 1, 0)]).toEqual([
      268029689, 360603775, 264637756,
    ]);
  });
});
