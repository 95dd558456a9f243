import { describe, expect, it } from 'vitest';
import { ClusterBench, sent } from './testing/fixture.js';

describe('membership', () => {
  it('takes a worker that connects anew for lost and come back', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('job');
    bench.allReady('job');
    bench.connect('a');
    expect(bench.cluster.workers().filter(({ id }) => id === 'a')).toHaveLength(1);
    expect(bench.fence('job').generation).toBe(2);
    expect(bench.members('job')).toEqual(['b']);
    bench.allReady('job');
    bench.tick(1_000, 'a', 'b');
    expect(bench.members('job')).toEqual(['b', 'a']);
  });

  it('releases an idle worker that is drained at once, and gives it no work', () => {
    const bench = new ClusterBench();
    bench.connect('a');
    expect(sent(bench.drain('a'), 'released')).toHaveLength(1);
    expect(bench.drain('a')).toEqual([]);
    bench.queue('job');
    expect(bench.cluster.job('job')?.state).toBe('waiting');
  });

  it('releases a member that leaves once it has stopped', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('job');
    bench.allReady('job');
    bench.step('a', 'job', 1);
    const fence = bench.fence('job');
    const effects = bench.send('b', { type: 'leave', reason: 'SIGTERM', graceMs: 30_000 });
    expect(sent(effects, 'stop')).toMatchObject([
      { workerId: 'b', message: { checkpoint: false } },
    ]);
    expect(sent(effects, 'released')).toEqual([]);
    expect(bench.members('job')).toEqual(['a']);
    expect(sent(bench.send('b', { type: 'stopped', fence }), 'released')).toHaveLength(1);
  });

  it('stores a checkpoint when the last holder of a waiting job leaves', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('job', { min: 2 });
    bench.allReady('job');
    bench.disconnect('b');
    const fence = bench.fence('job');
    const effects = bench.drain('a');
    expect(sent(effects, 'stop')).toMatchObject([{ workerId: 'a', message: { checkpoint: true } }]);
    expect(sent(effects, 'released')).toEqual([]);
    bench.connect('b', 'c');
    expect(bench.members('job')).toEqual([]);
    expect(bench.cluster.job('job')?.reason).toContain('a checkpoint is stored first');
    bench.apply({ type: 'checkpointStored', fence, step: 5 });
    const after = bench.send('a', { type: 'stopped', fence });
    expect(sent(after, 'released')).toHaveLength(1);
    expect(sent(after, 'prepare').map(({ message }) => message.checkpointStep)).toEqual([5, 5]);
  });

  it('stores a checkpoint when the last member leaves', () => {
    const bench = new ClusterBench();
    bench.connect('a');
    bench.queue('job');
    bench.allReady('job');
    const fence = bench.fence('job');
    expect(sent(bench.drain('a'), 'stop')).toMatchObject([{ message: { checkpoint: true } }]);
    bench.connect('b');
    expect(bench.members('job')).toEqual([]);
    bench.apply({ type: 'checkpointStored', fence, step: 12 });
    const effects = bench.send('a', { type: 'stopped', fence });
    expect(sent(effects, 'prepare')).toMatchObject([
      { workerId: 'b', message: { checkpointStep: 12 } },
    ]);
  });
});
