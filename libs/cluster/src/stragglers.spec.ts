import { describe, expect, it } from 'vitest';
import { StragglerWatch, type Straggler } from './stragglers.js';

const parts = (computeMs: number, dataWaitMs = 1, ringMs = 0) => ({
  dataWaitMs,
  computeMs,
  ringMs,
  commitMs: 0,
  applyMs: 1,
});

/** Reports so many steps of all ranks; returns what was told. */
function report(
  watch: StragglerWatch,
  numSteps: number,
  steps: readonly ReturnType<typeof parts>[],
): Straggler[] {
  return Array.from({ length: numSteps }, () =>
    steps.map((step, rank) => watch.observe(rank, step)),
  )
    .flat()
    .filter((straggler) => straggler !== null);
}

describe('StragglerWatch', () => {
  it('names a slow rank once, with the part in which it loses its time', () => {
    const watch = new StragglerWatch([2, 2, 2]);
    const told = report(watch, 30, [parts(100), parts(320), parts(105)]);
    expect(told).toEqual([
      { rank: 1, part: 'computeMs', ratio: expect.closeTo(3.01, 1) as number },
    ]);
  });

  it('names a rank that waits for its data', () => {
    const watch = new StragglerWatch([1, 1]);
    expect(report(watch, 10, [parts(50, 200), parts(50)])).toMatchObject([
      { rank: 0, part: 'dataWaitMs' },
    ]);
  });

  it('says nothing of a rank that has more lanes, waits for others, or had a few slow steps', () => {
    expect(report(new StragglerWatch([4, 2]), 30, [parts(200), parts(100)])).toEqual([]);
    expect(report(new StragglerWatch([2, 2]), 30, [parts(100, 1, 900), parts(100)])).toEqual([]);
    const watch = new StragglerWatch([2, 2]);
    report(watch, 20, [parts(100), parts(100)]);
    expect(report(watch, 3, [parts(500), parts(100)])).toEqual([]);
  });

  it('says nothing of differences that do not matter, nor of a rank alone', () => {
    expect(report(new StragglerWatch([1, 1]), 30, [parts(2), parts(9)])).toEqual([]);
    expect(report(new StragglerWatch([1]), 30, [parts(2_000)])).toEqual([]);
  });

  it('names it again when it was well in between', () => {
    const watch = new StragglerWatch([1, 1]);
    const slow = [parts(300), parts(100)];
    const even = [parts(100), parts(100)];
    const told = [slow, even, slow].flatMap((steps) => report(watch, 20, steps));
    expect(told.map(({ rank }) => rank)).toEqual([0, 0]);
  });
});
