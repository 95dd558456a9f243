import { syncSchema } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { rendezvous, type RendezvousInput } from './rendezvous.js';

function specOf(
  workers: Omit<RendezvousInput['spec']['workers'], 'stragglers' | 'tf32'>,
  lanes: RendezvousInput['spec']['lanes'],
): RendezvousInput['spec'] {
  return {
    workers: { ...workers, tf32: true, stragglers: 'report' },
    lanes,
    sync: { mode: 'allReduce' },
  };
}

function input(changes: Partial<RendezvousInput>): RendezvousInput {
  return {
    spec: specOf({ min: 2, max: 4, threads: 1 }, { count: 8, size: 4 }),
    survivors: [],
    candidates: [],
    numWelcome: Infinity,
    numConnected: 0,
    numOthers: 0,
    laneMs: new Map(),
    ...changes,
  };
}

describe('rendezvous', () => {
  it('returns members, lane owners and the reason', () => {
    expect(rendezvous(input({ survivors: ['b'], candidates: ['a', 'c'] }))).toEqual({
      seats: [
        { workerId: 'b', lanes: [0, 1, 2] },
        { workerId: 'a', lanes: [3, 4, 5] },
        { workerId: 'c', lanes: [6, 7] },
      ],
      reason: '3 workers, 2 new, for 8 lanes',
    });
  });

  it('says what is missing below the least number of workers', () => {
    const result = rendezvous(input({ survivors: ['a'], numConnected: 1, numOthers: 3 }));
    expect(result).toEqual({
      seats: null,
      reason:
        'needs 2 workers with 1 thread; 1 connected, 0 idle, 1 held; 3 with another number of threads or setting of TF32',
    });
  });

  it('takes no more than the largest number of workers, survivors first', () => {
    const { seats } = rendezvous(input({ survivors: ['x', 'y'], candidates: ['a', 'b', 'c'] }));
    expect(seats?.map(({ workerId }) => workerId)).toEqual(['x', 'y', 'a', 'b']);
  });

  it('takes no more workers than lanes', () => {
    const spec = specOf({ min: 1, max: 4, threads: 1 }, { count: 2, size: 4 });
    expect(rendezvous(input({ spec, candidates: ['a', 'b', 'c'] })).seats).toHaveLength(2);
  });

  it('leaves the lanes of a replica together', () => {
    const sync = syncSchema.parse({ mode: 'localSgd', replicas: 3 });
    const spec = { ...specOf({ min: 1, max: 4, threads: 1 }, { count: 6, size: 4 }), sync };
    const lanesOf = (candidates: string[]) =>
      rendezvous(input({ spec, candidates })).seats?.map(({ lanes }) => lanes);
    expect(lanesOf(['a', 'b'])).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
    expect(lanesOf(['a', 'b', 'c', 'd'])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it('gives a slow worker fewer lanes, and takes one of unknown pace for a usual one', () => {
    const laneMs = new Map([
      ['a', 30],
      ['b', 10],
    ]);
    const { seats } = rendezvous(input({ survivors: ['a', 'b'], candidates: ['c'], laneMs }));
    expect(seats?.map(({ lanes }) => lanes)).toEqual([[0], [1, 2, 3, 4], [5, 6, 7]]);
  });

  it('takes only what is needed when nobody is welcome, and keeps all survivors', () => {
    const few = rendezvous(input({ survivors: ['a'], candidates: ['b', 'c', 'd'], numWelcome: 0 }));
    expect(few.seats).toHaveLength(2);
    const many = rendezvous(
      input({ survivors: ['a', 'b', 'c'], candidates: ['d'], numWelcome: 0 }),
    );
    expect(many.seats?.map(({ workerId }) => workerId)).toEqual(['a', 'b', 'c']);
    const some = rendezvous(
      input({ survivors: ['a', 'b'], candidates: ['c', 'd'], numWelcome: 1 }),
    );
    expect(some.seats?.map(({ workerId }) => workerId)).toEqual(['a', 'b', 'c']);
  });
});
