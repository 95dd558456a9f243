import { describe, expect, it } from 'vitest';
import type { Slope } from './growth.js';
import { describeReport, type ChaosReport } from './report.js';

const report: ChaosReport = {
  passed: true,
  seed: 3,
  elapsedMs: 1_800_000,
  numWorkers: 4,
  without: [],
  faults: { kill: 5 },
  undisturbedSha256: 'a'.repeat(64),
  runs: [],
  hashesEqual: true,
  samplesExact: true,
  numStepsRedone: 0,
  abortMs: null,
  recoverMs: null,
  processes: [],
  leaks: [],
};

const workers = (memory: Slope | null) => ({
  kind: 'worker' as const,
  numLives: 40,
  numMeasured: memory === null ? 0 : 4,
  shortestMs: 700_000,
  longestMs: 720_000,
  memory,
  numMoreDescriptors: memory === null ? null : 2,
});

const lineOf = (memory: Slope | null): string | undefined =>
  describeReport({ ...report, processes: [workers(memory)] })
    .split('\n')
    .find((line) => line.startsWith('workers'));

describe('the report of memory', () => {
  it('tells the slope with its error, and whether there is one', () => {
    expect(lineOf({ mbPerMinute: 0.2, low: -0.75, high: 1.1 })).toMatch(
      'memory +0.20 MB/min, 95 % within -0.75 to +1.10: no slope measurable; ' +
        'descriptors at most +2 (4 of 40 lives measured, over 11m40s to 12m00s)',
    );
    expect(lineOf({ mbPerMinute: 0.5, low: 0.1, high: 0.9 })).toContain(': it grows;');
    expect(lineOf({ mbPerMinute: -0.5, low: -0.9, high: -0.1 })).toContain(': it shrinks;');
  });

  it('says when no life was long enough', () => {
    expect(lineOf(null)).toMatch('growth not measured: none of 40 lives is long enough');
  });
});

it('tells how to do the same again', () => {
  expect(describeReport({ ...report, without: ['kill', 'freeze'] })).toContain(
    'skipring chaos --seed 3 --workers 4 --without kill,freeze',
  );
});
