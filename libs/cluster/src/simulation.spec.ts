import { describe, expect, it } from 'vitest';
import type { Faults } from './testing/simulation/faults.js';
import { MUTATIONS, type Mutation } from './testing/simulation/mutations.js';
import { Simulation } from './testing/simulation/simulation.js';

/** Of each kind of faults; in the full form `SKIPRING_SIMULATIONS=2000`. */
const NUM_SEEDS = Number(process.env.SKIPRING_SIMULATIONS ?? 150);
/** One run again, as the failure of a run says. */
const SEED = process.env.SKIPRING_SEED;
const TIMEOUT_MS = 3_600_000;

interface Totals {
  readonly endings: Map<string, number>;
  numResumed: number;
  numRestarts: number;
  numReliefs: number;
  mostWorkers: number;
}

function runAll(
  seeds: readonly number[],
  faults: Faults,
  mutation: Mutation = {},
  hasStragglers = false,
): Totals {
  const totals = {
    endings: new Map<string, number>(),
    numResumed: 0,
    numRestarts: 0,
    numReliefs: 0,
    mostWorkers: 0,
  };
  for (const seed of seeds) {
    const simulation = new Simulation(seed, { faults, mutation, hasStragglers });
    try {
      simulation.run(200, 1_000);
    } catch (error) {
      throw new Error(
        `seed ${seed} with ${faults} faults: ${String(error)}\n` +
          `again: SKIPRING_SEED=${seed} npx vitest run --project unit libs/cluster/src/simulation.spec.ts`,
        { cause: error },
      );
    }
    totals.numResumed += simulation.numResumed;
    totals.numRestarts += simulation.numRestarts;
    totals.numReliefs += simulation.numReliefs;
    totals.mostWorkers = Math.max(totals.mostWorkers, simulation.numWorkers);
    for (const ending of simulation.endings.values()) {
      totals.endings.set(ending, (totals.endings.get(ending) ?? 0) + 1);
    }
  }
  return totals;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe.runIf(SEED !== undefined)(`the cluster with seed ${SEED}`, () => {
  it.each(['all', 'graceful'] as const)('keeps its invariants under %s faults', (faults) => {
    runAll([Number(SEED)], faults);
  });

  it('keeps them with slow workers', () => {
    runAll([Number(SEED)], 'graceful', {}, true);
  });
});

// A simulation in which nothing happens proves nothing: hence the numbers of what has happened.
describe.runIf(SEED === undefined)('the cluster under random faults', () => {
  it(
    'keeps its invariants, and ends every job that has enough workers',
    () => {
      const totals = runAll(upTo(NUM_SEEDS), 'all');
      expect(totals.endings.get('jobFinished')).toBeGreaterThan(2 * NUM_SEEDS);
      expect(totals.endings.get('jobCancelled')).toBeGreaterThan(0);
      expect(totals.numResumed).toBeGreaterThan(NUM_SEEDS / 8);
      expect(totals.numRestarts).toBeGreaterThan(NUM_SEEDS / 2);
      expect(totals.mostWorkers).toBeGreaterThan(50);
    },
    TIMEOUT_MS,
  );

  it(
    'loses no step that was told of when no worker is lost, whoever comes, leaves or restarts',
    () => {
      const totals = runAll(upTo(NUM_SEEDS), 'graceful');
      expect(totals.endings.get('jobFinished')).toBeGreaterThan(2 * NUM_SEEDS);
      expect(totals.numResumed).toBeGreaterThan(NUM_SEEDS / 2);
      expect(totals.numRestarts).toBeGreaterThan(NUM_SEEDS);
    },
    TIMEOUT_MS,
  );

  it(
    'loses no such step either when lanes move from slow workers, or spares take their places',
    () => {
      const totals = runAll(upTo(NUM_SEEDS), 'graceful', {}, true);
      expect(totals.endings.get('jobFinished')).toBeGreaterThan(2 * NUM_SEEDS);
      expect(totals.numReliefs).toBeGreaterThan(NUM_SEEDS / 2);
    },
    TIMEOUT_MS,
  );

  it('plays the same again with the same seed', () => {
    const once = runAll([7], 'all');
    expect(runAll([7], 'all')).toEqual(once);
  });

  it.each(Object.keys(MUTATIONS))('would be found broken: %s', (name) => {
    expect(() => runAll(upTo(100), 'graceful', MUTATIONS[name])).toThrow(/seed \d+ with graceful/);
  });
});
