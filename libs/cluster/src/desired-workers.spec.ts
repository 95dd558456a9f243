import { describe, expect, it } from 'vitest';
import { desiredWorkers, type WorkerDemand } from './desired-workers.js';
import { ClusterBench } from './testing/fixture.js';

function demand(changes: Partial<WorkerDemand>): WorkerDemand {
  return { threads: 1, state: 'waiting', min: 1, max: 4, numMembers: 0, ...changes };
}

function desired(limit: number, ...demands: WorkerDemand[]): Record<string, number> {
  return Object.fromEntries(desiredWorkers(demands, limit));
}

describe('desiredWorkers', () => {
  it.each([
    ['no jobs', 10, [], {}],
    ['a waiting job at its maximum', 10, [demand({})], { 1: 4 }],
    ['a running job at its maximum', 10, [demand({ state: 'running', numMembers: 2 })], { 1: 4 }],
    ['the limit', 3, [demand({}), demand({})], { 1: 3 }],
    [
      'the minimum of every job before the maximum of any',
      5,
      [demand({ state: 'running', numMembers: 1, max: 8 }), demand({ min: 4 })],
      { 1: 5 },
    ],
    [
      'a job that cannot start within the limit gets none, the one behind it does',
      4,
      [demand({ min: 5, max: 8 }), demand({ max: 2 })],
      { 1: 2 },
    ],
    [
      'what is left after a running job is too little for a waiting one',
      4,
      [demand({ min: 3 }), demand({ state: 'running', numMembers: 2, max: 2 })],
      { 1: 2 },
    ],
    [
      'a job that is cancelled keeps its members until they have stopped',
      10,
      [demand({ state: 'cancelling', numMembers: 3, max: 8 })],
      { 1: 3 },
    ],
    [
      'members are kept beyond a limit that was lowered',
      2,
      [demand({ state: 'running', numMembers: 4, max: 8 }), demand({})],
      { 1: 4 },
    ],
    ['pools apart by threads', 3, [demand({}), demand({ threads: 4, max: 2 })], { 1: 3, 4: 2 }],
  ])('%s', (_, limit, demands, expected) => {
    expect(desired(limit, ...demands)).toEqual(expected);
  });

  it('serves the first of two jobs when the limit admits one', () => {
    const first = demand({ min: 3, max: 3 });
    const second = demand({ min: 2, max: 2 });
    expect(desired(4, first, second)).toEqual({ 1: 3 });
    expect(desired(4, second, first)).toEqual({ 1: 2 });
  });
});

describe('Cluster.desiredWorkers', () => {
  it('goes from none to the maximum of a job and back as jobs come and end', () => {
    const bench = new ClusterBench();
    expect(bench.cluster.desiredWorkers(10).size).toBe(0);
    bench.queue('a', { min: 1, max: 3 });
    expect(bench.cluster.desiredWorkers(10).get(1)).toBe(3);
    bench.connect('w1');
    bench.allReady('a');
    expect(bench.cluster.desiredWorkers(10).get(1)).toBe(3);
    bench.finish('w1', 'a');
    expect(bench.cluster.job('a')).toBeNull();
    expect(bench.cluster.desiredWorkers(10).size).toBe(0);
  });

  it('counts lanes, as a worker without one is of no use', () => {
    const bench = new ClusterBench();
    bench.queue('a', { max: 8, lanes: 2 });
    expect(bench.cluster.desiredWorkers(10).get(1)).toBe(2);
  });

  it('prefers the job of higher priority, then the one that came first', () => {
    const bench = new ClusterBench();
    bench.queue('early', { min: 4, max: 4, priority: 10 });
    bench.queue('late', { min: 3, max: 3, priority: 90 });
    expect(bench.cluster.desiredWorkers(4).get(1)).toBe(3);
  });
});
