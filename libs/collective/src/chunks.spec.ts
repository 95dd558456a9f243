import { describe, expect, it } from 'vitest';
import { chunkRange, segmentRanges } from './chunks.js';

describe('chunkRange', () => {
  it('covers every element once, in order, in sizes that differ by at most one', () => {
    for (const length of [0, 1, 2, 7, 1_000, 1_003]) {
      for (const numChunks of [1, 2, 3, 5, 8]) {
        let end = 0;
        const sizes: number[] = [];
        for (let i = 0; i < numChunks; i++) {
          const range = chunkRange(length, numChunks, i);
          expect(range.begin).toBe(end);
          end = range.end;
          sizes.push(range.end - range.begin);
        }
        expect(end).toBe(length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('segmentRanges', () => {
  it('cuts a range, the last segment shorter', () => {
    expect(segmentRanges({ begin: 5, end: 16 }, 4)).toEqual([
      { begin: 5, end: 9 },
      { begin: 9, end: 13 },
      { begin: 13, end: 16 },
    ]);
    expect(segmentRanges({ begin: 5, end: 5 }, 4)).toEqual([]);
  });
});
