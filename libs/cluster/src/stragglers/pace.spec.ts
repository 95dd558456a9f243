import { expect, it } from 'vitest';
import type { JobRun } from '../state.js';
import { notePace } from './pace.js';
import { newWatch, observed } from './watch.js';

const parts = { dataWaitMs: 0, computeMs: 8, ringMs: 0, commitMs: 0, applyMs: 0 };

it('the pace of the workers that trained last is known, however many there were', () => {
  const watch = [0, 1].reduce((before, rank) => observed(before, rank, parts), newWatch([1, 1], 1));
  const laneMs = new Map<string, number>();
  for (let number = 0; number < 3_000; number += 1) {
    const members = [{ workerId: 'stays' }, { workerId: `passes-${number}` }];
    notePace({ laneMs, generation: { members, watch } } as unknown as JobRun);
  }
  expect(laneMs.size).toBe(1_024);
  expect(laneMs.get('stays')).toBe(8);
  expect(laneMs.has('passes-2999')).toBe(true);
  expect(laneMs.has('passes-0')).toBe(false);
});
