import { describe, expect, it } from 'vitest';
import { explore } from './testing/explore.js';
import type { ModelSize } from './testing/model-parts.js';

const calm: ModelSize = {
  numWorkers: 2,
  numSteps: 2,
  min: 1,
  numCrashes: 0,
  numCuts: 0,
  numRestarts: 0,
  numDrains: 0,
  numPauses: 0,
};

/** What is explored, and more states than this must be found: a model that stands still proves nothing. */
const sizes: [string, Partial<ModelSize>, number][] = [
  ['three workers and no fault', { numWorkers: 3 }, 900],
  ['a worker that dies, and others that may go on', { numCrashes: 1 }, 8_000],
  ['a worker that dies, and is needed', { min: 2, numCrashes: 1 }, 5_000],
  ['a connection that breaks', { min: 2, numCuts: 1 }, 7_000],
  ['a coordinator that restarts', { min: 2, numRestarts: 1 }, 2_500],
  ['a worker that is drained', { numDrains: 1 }, 8_000],
  ['a job that is paused and resumed', { numPauses: 1 }, 2_000],
];

/** A minute or two: `SKIPRING_MODEL=large npx vitest run --project unit libs/cluster/src/model-check.spec.ts` */
const largeSizes: typeof sizes = [
  ['a worker that dies and a connection that breaks', { numCrashes: 1, numCuts: 1 }, 50_000],
  ['a coordinator that restarts and a worker that dies', { numCrashes: 1, numRestarts: 1 }, 20_000],
  ['a worker that dies twice, with one step', { numSteps: 1, numCrashes: 2 }, 5_000],
  ['three steps and a worker that dies', { numSteps: 3, numCrashes: 1 }, 10_000],
];
const isLarge = process.env.SKIPRING_MODEL === 'large';

describe('the commit protocol, in every order of its moves', () => {
  it.each(sizes)('keeps its invariants with %s', (_, size, floor) => {
    const { numStates, numEnds } = explore({ ...calm, ...size });
    expect(numStates).toBeGreaterThan(floor);
    expect(numEnds).toBeGreaterThan(0);
  });

  it.runIf(isLarge).each(largeSizes)(
    'keeps its invariants with %s',
    (_, size, floor) => {
      expect(explore({ ...calm, ...size }).numStates).toBeGreaterThan(floor);
    },
    3_600_000,
  );

  it('would be found broken: members that are behind and do not receive the state', () => {
    const broken = { ...calm, min: 2, numCrashes: 1, isUnsynchronised: true };
    expect(() => explore(broken)).toThrow(/after begin, .*starts with step/);
  });
});
