import { describe, expect, it } from 'vitest';
import { Simulation, type Faults } from './testing/simulation.js';

/** How often jobs ended in which way, over all seeds from 1. */
function endings(numSeeds: number, faults: Faults): Map<string, number> {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= numSeeds; seed += 1) {
    const simulation = new Simulation(seed, faults);
    try {
      simulation.run(200, 1_000);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
    counts.set('resumed', (counts.get('resumed') ?? 0) + simulation.numResumed);
    for (const ending of simulation.endings.values()) {
      counts.set(ending, (counts.get(ending) ?? 0) + 1);
    }
  }
  return counts;
}

// A simulation in which nothing happens proves nothing: hence the numbers of endings.
describe('the cluster under random faults', () => {
  it('keeps its invariants, and ends every job that has enough workers', () => {
    const counts = endings(400, 'all');
    expect(counts.get('jobFinished')).toBeGreaterThan(400);
    expect(counts.get('jobCancelled')).toBeGreaterThan(0);
    expect(counts.get('resumed')).toBeGreaterThan(50);
  });

  it('loses no committed step when workers only come and leave', () => {
    const counts = endings(100, 'graceful');
    expect(counts.get('jobFinished')).toBeGreaterThan(100);
    expect(counts.get('resumed')).toBeGreaterThan(50);
  });
});
