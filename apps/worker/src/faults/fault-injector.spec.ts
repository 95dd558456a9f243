import { faultSchema, type ArmedFault } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { FaultInjector } from './fault-injector.js';

const hang = (id: string, step: number): ArmedFault =>
  ({
    id,
    fault: faultSchema.parse({
      kind: 'hang',
      rank: 0,
      step,
      phase: 'compute',
      durationMs: 1,
      count: 3,
    }),
  }) as ArmedFault;

const fence = (jobId: string, attempt = 1) => ({ jobId, attempt, generation: 2 });

/** With the ids that it told of, one by one. */
function injector(): { faults: FaultInjector; told: string[] } {
  const told: string[] = [];
  const faults = new FaultInjector({
    announce: (id) => {
      told.push(id);
      return Promise.resolve();
    },
    strikeRing: () => undefined,
  });
  return { faults, told };
}

describe('faults of a job', () => {
  it('strike in it, also in a later generation', async () => {
    const { faults, told } = injector();
    faults.replace([hang('a', 4)], fence('one'));
    await faults.reach('compute', 3, fence('one'));
    await faults.reach('compute', 4, { ...fence('one'), generation: 3 });
    expect(told).toEqual(['a']);
  });

  it('end with its attempt', async () => {
    const { faults, told } = injector();
    faults.replace([hang('a', 4)], fence('one'));
    await faults.reach('compute', 4, fence('one', 2));
    await faults.reach('compute', 5, fence('two'));
    expect(told).toEqual([]);
    faults.replace([hang('b', 1)], fence('two'));
    await faults.reach('compute', 5, fence('two'));
    expect(told).toEqual(['b']);
  });
});
