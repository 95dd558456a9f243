import { describe, expect, it } from 'vitest';
import { ClusterBench, ofType, sent } from './testing/fixture.js';

/** A job that trains on `a`, and further workers that are about to load it. */
function training(...others: string[]): ClusterBench {
  const bench = new ClusterBench();
  bench.loadAtOnce = false;
  bench.connect('a');
  bench.queue('job', { max: 3 });
  bench.allReady('job');
  bench.connect(...others);
  return bench;
}

describe('loading ahead of joining', () => {
  it('lets the others train until a worker has loaded the job', () => {
    const bench = training('b');
    const fence = bench.fence('job');
    expect(sent(bench.effects, 'load')).toMatchObject([{ workerId: 'b', message: { fence } }]);
    expect(sent(bench.tick(10_000, 'a', 'b'), 'load')).toEqual([]);
    expect(bench.members('job')).toEqual(['a']);
    const prepares = sent(bench.loaded('b', fence), 'prepare');
    expect(prepares.map(({ workerId }) => workerId)).toEqual(['a', 'b']);
    expect(prepares[0]?.message.reason).toContain('workers join that have loaded the job');
  });

  it('takes all that have loaded at the same time, at most once in an interval', () => {
    const bench = training('b', 'c');
    const fence = bench.fence('job');
    bench.loaded('b', fence);
    bench.loaded('c', fence);
    expect(bench.members('job')).toEqual(['a']);
    bench.tick(1_000, 'a', 'b', 'c');
    expect(bench.members('job')).toEqual(['a', 'b', 'c']);
  });

  it('asks no more workers than the job may have', () => {
    const bench = training('b', 'c', 'd', 'e');
    expect(sent(bench.effects, 'load').map(({ workerId }) => workerId)).toEqual(['b', 'c']);
  });

  it('goes on without a worker that can not load, and asks another', () => {
    const bench = training('b', 'c', 'd');
    const effects = bench.loaded('b', bench.fence('job'), 'MODEL_INVALID: no');
    expect(ofType(effects, 'loadFailed')).toMatchObject([
      { workerId: 'b', reason: 'MODEL_INVALID: no' },
    ]);
    expect(sent(effects, 'load').map(({ workerId }) => workerId)).toEqual(['d']);
    bench.tick(10_000, 'a', 'b', 'c', 'd');
    expect(bench.members('job')).toEqual(['a']);
  });

  it('is not waited for when the job can not go on without the worker', () => {
    const bench = training('b');
    bench.disconnect('a');
    expect(bench.members('job')).toEqual(['b']);
  });

  it('is not waited for when a member is lost and enough are left', () => {
    const bench = training('b', 'c');
    bench.loaded('b', bench.fence('job'));
    bench.tick(1_000, 'a', 'b', 'c');
    expect(bench.members('job')).toEqual(['a', 'b']);
    bench.allReady('job');
    bench.disconnect('b');
    expect(bench.members('job')).toEqual(['a']);
  });

  it('is forgotten when the job ends', () => {
    const bench = training('b');
    bench.finish('a', 'job');
    const stops = sent(bench.effects, 'stop').filter(({ workerId }) => workerId === 'b');
    expect(stops).toHaveLength(1);
    expect(bench.cluster.workers().find(({ id }) => id === 'b')?.state).toBe('idle');
  });

  it('sends a member the state of its peers, and no checkpoint that is behind it', () => {
    const bench = training('b');
    const fence = bench.fence('job');
    bench.step('a', 'job', 7);
    bench.apply({ type: 'checkpointStored', fence, step: 5 });
    bench.tick(1_000, 'a', 'b');
    const prepares = sent(bench.loaded('b', fence), 'prepare');
    expect(prepares.map(({ message }) => message.checkpointStep)).toEqual([null, null]);
    // The holder is gone: the other begins from the checkpoint after all.
    const later = bench.disconnect('a');
    expect(sent(later, 'prepare').map(({ message }) => message.checkpointStep)).toEqual([5]);
  });
});
