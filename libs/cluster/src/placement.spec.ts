import { describe, expect, it } from 'vitest';
import { ClusterBench, testHello } from './testing/fixture.js';

describe('placement', () => {
  it('serves priority first, then first come, first served', () => {
    const bench = new ClusterBench();
    const one = { max: 1 };
    bench.queue('early', one);
    bench.queue('late', one);
    bench.queue('urgent', { ...one, priority: 90 });
    const placed = (): string[] =>
      bench.cluster.jobIds().filter((id) => bench.cluster.job(id)?.state === 'running');
    bench.connect('a');
    expect(placed()).toEqual(['urgent']);
    bench.connect('b');
    expect(placed()).toEqual(['early', 'urgent']);
    bench.connect('c');
    expect(placed()).toEqual(['early', 'late', 'urgent']);
  });

  it('is not held up by a job that wants other workers, or more than there are', () => {
    const bench = new ClusterBench();
    bench.queue('threads', { threads: 4, priority: 90 });
    bench.queue('large', { min: 4, priority: 80 });
    bench.queue('small');
    bench.connect('a');
    expect(bench.members('small')).toEqual(['a']);
    expect(bench.cluster.job('threads')?.reason).toContain('1 with another number of threads');
    bench.apply({ type: 'workerConnected', hello: testHello('wide', 4) });
    expect(bench.members('threads')).toEqual(['wide']);
    expect(bench.cluster.job('large')?.state).toBe('waiting');
  });

  it('lends workers that a waiting job behind holds', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('low', { min: 2, priority: 10 });
    bench.allReady('low');
    bench.disconnect('b');
    expect(bench.cluster.job('low')?.state).toBe('waiting');
    expect(bench.cluster.workers()[0]).toMatchObject({ id: 'a', jobId: 'low', rank: null });
    bench.queue('high', { min: 1, priority: 90 });
    expect(bench.members('high')).toEqual(['a']);
  });

  it('counts the interval between growths from the start, not from the preparation', () => {
    const bench = new ClusterBench();
    bench.connect('a');
    bench.queue('job');
    bench.connect('b');
    bench.tick(3_000, 'a', 'b');
    bench.allReady('job');
    expect(bench.members('job')).toEqual(['a']);
    bench.tick(1_000, 'a', 'b');
    expect(bench.members('job')).toEqual(['a', 'b']);
  });

  it('does not let a running job grow while another waits for such workers', () => {
    const bench = new ClusterBench();
    bench.connect('a');
    bench.queue('job');
    bench.allReady('job');
    bench.queue('large', { min: 3 });
    bench.connect('b');
    bench.tick(2_000, 'a', 'b');
    expect(bench.members('job')).toEqual(['a']);
    bench.cancel('large');
    expect(bench.members('job')).toEqual(['a', 'b']);
  });
});
