import { describe, expect, it } from 'vitest';
import { Simulation } from './testing/simulation.js';

const NUM_SEEDS = 400;

describe('the cluster under random faults', () => {
  it('keeps its invariants, and ends every job that has enough workers', () => {
    const endings = new Map<string, number>();
    for (let seed = 1; seed <= NUM_SEEDS; seed += 1) {
      const simulation = new Simulation(seed);
      try {
        simulation.run(200, 1_000);
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
      for (const ending of simulation.endings.values()) {
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
      }
    }
    // A simulation in which nothing happens proves nothing.
    expect(endings.get('jobFinished')).toBeGreaterThan(NUM_SEEDS);
    expect(endings.get('jobCancelled')).toBeGreaterThan(0);
  });
});
