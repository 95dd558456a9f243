import { describe, expect, it } from 'vitest';
import { assignLanes } from './lanes.js';

describe('assignLanes', () => {
  it('gives each lane one owner, in contiguous runs that differ by at most one', () => {
    for (let numLanes = 1; numLanes <= 33; numLanes += 1) {
      for (let numRanks = 1; numRanks <= numLanes; numRanks += 1) {
        const runs = assignLanes(numLanes, numRanks);
        expect(runs).toHaveLength(numRanks);
        // In rank order the runs read 0, 1, 2, ...: no lane is missing, doubled or out of its run.
        expect(runs.flat()).toEqual(Array.from({ length: numLanes }, (_, lane) => lane));
        const lengths = runs.map((run) => run.length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each([0, 5, 1.5])('refuses %d ranks for 4 lanes', (numRanks) => {
    expect(() => assignLanes(4, numRanks)).toThrow(RangeError);
  });
});
