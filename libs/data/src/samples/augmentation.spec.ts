import { describe, expect, it } from 'vitest';
import { sampleTransform } from './augmentation.js';
import { IDENTITY } from './decode.js';

const both = { cropPadding: 4, flip: true };

describe('sampleTransform', () => {
  it('is a function of seed, epoch and sample id', () => {
    const all = new Set<string>();
    for (const seed of [1, 2]) {
      for (const epoch of [0, 1]) {
        const drawn = Array.from({ length: 50 }, (_, id) => sampleTransform(seed, epoch, id, both));
        const again = Array.from({ length: 50 }, (_, id) => sampleTransform(seed, epoch, id, both));
        expect(again).toEqual(drawn);
        all.add(JSON.stringify(drawn));
      }
    }
    expect(all.size).toBe(4);
  });

  it('draws each offset and side about equally often', () => {
    const counts = new Map<string, number>();
    const trials = 9_000;
    for (let id = 0; id < trials; id++) {
      const { top, left, flip } = sampleTransform(3, 0, id, both);
      for (const key of [`top ${top}`, `left ${left}`, `flip ${flip}`]) {
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    for (const axis of ['top', 'left']) {
      for (let offset = -4; offset <= 4; offset++) {
        // Mean 1000, standard deviation 30.
        expect(Math.abs((counts.get(`${axis} ${offset}`) ?? 0) - 1000)).toBeLessThan(120);
      }
    }
    expect(Math.abs((counts.get('flip true') ?? 0) - 4500)).toBeLessThan(190);
    expect(counts.size).toBe(9 + 9 + 2);
  });

  it('keeps the crop when flipping is turned off', () => {
    const withFlip = sampleTransform(3, 1, 8, both);
    expect(sampleTransform(3, 1, 8, { ...both, flip: false })).toEqual({
      ...withFlip,
      flip: false,
    });
  });

  it('changes nothing when both are off', () => {
    expect(sampleTransform(3, 1, 8, { cropPadding: 0, flip: false })).toEqual(IDENTITY);
  });
});
