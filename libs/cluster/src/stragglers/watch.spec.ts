import { describe, expect, it } from 'vitest';
import { laneTimes, newWatch, observed, type SlowRank, type StepWatch } from './watch.js';

const WINDOW_STEPS = 20;

const parts = (computeMs: number, dataWaitMs = 1, ringMs = 0) => ({
  dataWaitMs,
  computeMs,
  ringMs,
  commitMs: 0,
  applyMs: 1,
});
type Parts = ReturnType<typeof parts>;

/** The watch after so many steps of all ranks. */
function after(watch: StepWatch, numSteps: number, steps: readonly Parts[]): StepWatch {
  let next = watch;
  for (let step = 0; step < numSteps; step += 1) {
    for (const [rank, report] of steps.entries()) next = observed(next, rank, report);
  }
  return next;
}

const slowAfter = (
  numLanes: number[],
  numSteps: number,
  steps: readonly Parts[],
): readonly SlowRank[] => after(newWatch(numLanes, WINDOW_STEPS), numSteps, steps).slow;

const LONG = WINDOW_STEPS + 2;

describe('a watch over the steps of a generation', () => {
  it('names a slow rank, with the part in which it loses its time', () => {
    expect(slowAfter([2, 2, 2], LONG, [parts(100), parts(320), parts(105)])).toEqual([
      { rank: 1, part: 'compute', ratio: expect.closeTo(3.01, 1) as number },
    ]);
    expect(slowAfter([1, 1], LONG, [parts(50, 200), parts(50)])).toMatchObject([
      { rank: 0, part: 'data' },
    ]);
    const applying = { ...parts(50), applyMs: 90 };
    expect(slowAfter([1, 1], LONG, [parts(50), applying])).toMatchObject([
      { rank: 1, part: 'apply' },
    ]);
  });

  it('names all that are slow, the slowest first, and none where most are', () => {
    const steps = [parts(100), parts(300), parts(100), parts(400), parts(100)];
    expect(slowAfter([1, 1, 1, 1, 1], LONG, steps).map(({ rank }) => rank)).toEqual([3, 1]);
    const most = [parts(300), parts(310), parts(100)];
    expect(slowAfter([1, 1, 1], LONG, most)).toEqual([]);
    expect(slowAfter([1, 1, 1], LONG, [parts(900), parts(900), parts(900)])).toEqual([]);
  });

  it('waits for a window of every rank', () => {
    const slow = [parts(100), parts(900)];
    const short = after(newWatch([1, 1], WINDOW_STEPS), WINDOW_STEPS - 1, slow);
    expect(short.slow).toEqual([]);
    expect(observed(short, 0, parts(100)).slow).toEqual([]);
    expect(after(short, 2, slow).slow).toHaveLength(1);
  });

  it('says nothing of a rank that has more lanes, waits for others, or had a few slow steps', () => {
    expect(slowAfter([4, 2], LONG, [parts(200), parts(100)])).toEqual([]);
    expect(slowAfter([2, 2], LONG, [parts(100, 1, 900), parts(100)])).toEqual([]);
    const even = after(newWatch([2, 2], WINDOW_STEPS), LONG, [parts(100), parts(100)]);
    expect(after(even, WINDOW_STEPS / 2, [parts(500), parts(100)]).slow).toEqual([]);
    expect(after(even, WINDOW_STEPS / 2 + 2, [parts(500), parts(100)]).slow).toHaveLength(1);
  });

  it('says nothing of differences that do not matter, nor of a rank alone', () => {
    expect(slowAfter([1, 1], LONG, [parts(2), parts(9)])).toEqual([]);
    expect(slowAfter([1], LONG, [parts(2_000)])).toEqual([]);
  });

  it('leaves a rank between the limits what it was, and forgives one that has recovered', () => {
    const between = [parts(135), parts(100)];
    expect(slowAfter([1, 1], LONG, between)).toEqual([]);
    const slow = after(newWatch([1, 1], WINDOW_STEPS), LONG, [parts(200), parts(100)]);
    const still = after(slow, LONG, between);
    expect(still.slow.map(({ rank }) => rank)).toEqual([0]);
    expect(after(still, LONG, [parts(110), parts(100)]).slow).toEqual([]);
  });

  it('tells what a lane takes', () => {
    const watch = after(newWatch([4, 1], WINDOW_STEPS), LONG, [parts(198), parts(98)]);
    expect(laneTimes(watch)).toEqual([50, 100]);
  });
});
