import { describe, expect, it } from 'vitest';
import { assignLanes } from './lanes.js';

const even = (numRanks: number): number[] => Array.from({ length: numRanks }, () => 1);
const lengths = (numLanes: number, laneMs: number[]): number[] =>
  assignLanes(numLanes, laneMs).map(({ length }) => length);

describe('assignLanes', () => {
  it('gives each lane one owner, in contiguous runs that differ by at most one', () => {
    for (let numLanes = 1; numLanes <= 33; numLanes += 1) {
      for (let numRanks = 1; numRanks <= numLanes; numRanks += 1) {
        const runs = assignLanes(numLanes, even(numRanks));
        expect(runs).toHaveLength(numRanks);
        // In rank order the runs read 0, 1, 2, ...: no lane is missing, doubled or out of its run.
        expect(runs.flat()).toEqual(Array.from({ length: numLanes }, (_, lane) => lane));
        const sizes = runs.map((run) => run.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      }
    }
  });

  it('gives a slow rank fewer, and never none', () => {
    expect(lengths(8, [1, 3])).toEqual([6, 2]);
    expect(lengths(8, [4, 1, 1])).toEqual([1, 4, 3]);
    expect(lengths(4, [1, 1_000])).toEqual([3, 1]);
    expect(lengths(3, [1, 90, 2])).toEqual([1, 1, 1]);
    expect(lengths(8, [70, 70])).toEqual([4, 4]);
  });

  it('ends as early as any other sharing would', () => {
    const ends = (counts: number[], laneMs: number[]): number =>
      Math.max(...counts.map((count, rank) => count * laneMs[rank]!));
    const laneMs = [3, 5, 11];
    const numLanes = 12;
    let best = Infinity;
    for (let a = 1; a <= numLanes - 2; a += 1) {
      for (let b = 1; a + b < numLanes; b += 1) {
        best = Math.min(best, ends([a, b, numLanes - a - b], laneMs));
      }
    }
    expect(ends(lengths(numLanes, laneMs), laneMs)).toBe(best);
  });

  it.each([[[]], [even(5)], [[1, 0]], [[1, NaN]], [[1, Infinity]]])(
    'refuses ranks of %j ms for 4 lanes',
    (laneMs) => {
      expect(() => assignLanes(4, laneMs)).toThrow(RangeError);
    },
  );
});
