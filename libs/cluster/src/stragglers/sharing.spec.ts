import { describe, expect, it } from 'vitest';
import { gainsBySharing } from './sharing.js';
import { newWatch, observed, type StepWatch } from './watch.js';

const WINDOW_STEPS = 4;

/** What is seen of ranks that own so many lanes, each of which takes them so long. */
function seen(numLanes: number[], laneMs: number[]): StepWatch {
  let watch = newWatch(numLanes, WINDOW_STEPS);
  for (let step = 0; step < WINDOW_STEPS; step += 1) {
    for (const [rank, ms] of laneMs.entries()) {
      const computeMs = ms * numLanes[rank]!;
      const parts = { dataWaitMs: 0, computeMs, ringMs: 0, commitMs: 0, applyMs: 0 };
      watch = observed(watch, rank, parts);
    }
  }
  return watch;
}

const every = (count: number) => ({ lanes: { count }, sync: { mode: 'allReduce' } }) as const;
const replicas = (count: number, numReplicas: number) =>
  ({ lanes: { count }, sync: { mode: 'localSgd', replicas: numReplicas } }) as Parameters<
    typeof gainsBySharing
  >[1];

describe('sharing lanes by pace', () => {
  it('gains where a slow rank owns many', () => {
    expect(gainsBySharing(seen([4, 4], [20, 60]), every(8))).toBe(true);
  });

  it('gains when a rank with few lanes is slow no longer', () => {
    expect(gainsBySharing(seen([6, 2], [20, 20]), every(8))).toBe(true);
  });

  it('gains nothing once lanes are shared so, where paces are alike, or a rank has one lane', () => {
    expect(gainsBySharing(seen([6, 2], [20, 60]), every(8))).toBe(false);
    expect(gainsBySharing(seen([4, 4], [100, 110]), every(8))).toBe(false);
    expect(gainsBySharing(seen([1, 1], [20, 900]), every(2))).toBe(false);
  });

  it('is not worth a new generation for little time, or on no measurement', () => {
    expect(gainsBySharing(seen([4, 4], [1, 3]), every(8))).toBe(false);
    expect(gainsBySharing(seen([4, 4], [0, 60]), every(8))).toBe(false);
  });

  it('leaves the lanes of a replica together', () => {
    expect(gainsBySharing(seen([4, 4], [20, 60]), replicas(8, 2))).toBe(false);
    expect(gainsBySharing(seen([4, 4], [20, 60]), replicas(8, 4))).toBe(true);
  });
});
