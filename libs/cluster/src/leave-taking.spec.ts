import { describe, expect, it } from 'vitest';
import { ClusterBench, sent } from './testing/fixture.js';

/** A job at step 50 whose only member is `a`, and `b`, which has just been asked to join. */
function joining(): ClusterBench {
  const bench = new ClusterBench();
  bench.connect('a');
  bench.queue('job');
  bench.allReady('job', 50);
  bench.connect('b');
  bench.tick(1_000, 'a', 'b');
  expect(bench.members('job')).toEqual(['a', 'b']);
  return bench;
}

function expectStoredFirst(bench: ClusterBench): void {
  const fence = bench.fence('job');
  const effects = bench.drain('a');
  expect(sent(effects, 'stop')).toMatchObject([
    { workerId: 'a', message: { fence, checkpoint: true } },
  ]);
  expect(sent(effects, 'prepare')).toEqual([]);
  expect(bench.cluster.isCurrent(fence)).toBe(true);
  bench.apply({ type: 'checkpointStored', fence, step: 50 });
  const after = bench.send('a', { type: 'stopped', fence });
  expect(sent(after, 'released').map(({ workerId }) => workerId)).toEqual(['a']);
  expect(sent(after, 'prepare')).toMatchObject([
    { workerId: 'b', message: { checkpointStep: 50 } },
  ]);
}

describe('leave-taking', () => {
  it('stores the state of a drained worker while the others are preparing', () => {
    expectStoredFirst(joining());
  });

  it('stores the state of a drained worker while the others are behind it', () => {
    const bench = joining();
    bench.ready('a', 'job', 50);
    bench.ready('b', 'job', 0);
    expectStoredFirst(bench);
  });

  it('goes on at once without a drained worker when another began with its state', () => {
    const bench = joining();
    bench.allReady('job', 50);
    const effects = bench.drain('a');
    expect(sent(effects, 'stop')).toMatchObject([{ message: { checkpoint: false } }]);
    expect(bench.members('job')).toEqual(['b']);
  });

  it('goes on at once without a drained worker when a step has committed with it', () => {
    const bench = joining();
    bench.ready('a', 'job', 50);
    bench.ready('b', 'job', 0);
    bench.step('b', 'job', 51);
    const effects = bench.drain('a');
    expect(sent(effects, 'stop')).toMatchObject([{ message: { checkpoint: false } }]);
    expect(bench.members('job')).toEqual(['b']);
  });

  it('goes on at once without a drained newcomer', () => {
    const bench = joining();
    const effects = bench.drain('b');
    expect(sent(effects, 'stop')).toMatchObject([
      { workerId: 'b', message: { checkpoint: false } },
    ]);
    expect(bench.members('job')).toEqual(['a']);
  });

  it('takes a worker that connects anew for one without the state', () => {
    const bench = joining();
    bench.allReady('job', 50);
    bench.connect('b');
    bench.ready('a', 'job', 50);
    bench.tick(1_000, 'a', 'b');
    expect(bench.members('job')).toEqual(['a', 'b']);
    expectStoredFirst(bench);
  });

  it('ends the drain of a worker that does not store its state in time', () => {
    const bench = joining();
    bench.drain('a');
    for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 1_000) bench.tick(1_000, 'a', 'b');
    expect(bench.cluster.workers().map(({ id }) => id)).toEqual(['b']);
    expect(bench.members('job')).toEqual(['b']);
  });
});
