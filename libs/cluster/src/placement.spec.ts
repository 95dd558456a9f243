import { describe, expect, it } from 'vitest';
import { ClusterBench, sent, testHello } from './testing/fixture.js';

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
    expect(bench.cluster.job('threads')?.reason).toContain(
      '1 with another number of threads or setting of TF32',
    );
    bench.apply({ type: 'workerConnected', hello: testHello('wide', 4) });
    expect(bench.members('threads')).toEqual(['wide']);
    expect(bench.cluster.job('large')?.state).toBe('waiting');
  });

  it('lends a worker that a waiting job behind holds, once its state is stored', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('low', { min: 2, priority: 10 });
    bench.allReady('low');
    bench.disconnect('b');
    const fence = bench.fence('low');
    expect(bench.cluster.workers()[0]).toMatchObject({ id: 'a', jobId: 'low', rank: null });
    const effects = bench.queue('high', { min: 1, priority: 90 });
    expect(sent(effects, 'stop')).toMatchObject([
      { workerId: 'a', message: { fence, checkpoint: true } },
    ]);
    expect(sent(effects, 'prepare')).toEqual([]);
    expect(bench.cluster.isCurrent(fence)).toBe(true);
    expect(bench.cluster.job('low')?.reason).toContain('a checkpoint is stored first');
    expect(bench.cluster.job('high')?.reason).toContain('about to be free');
    bench.apply({ type: 'checkpointStored', fence, step: 6 });
    bench.send('a', { type: 'stopped', fence });
    expect(bench.members('high')).toEqual(['a']);
    bench.connect('c', 'd');
    const [prepare] = sent(bench.effects, 'prepare').filter(({ workerId }) => workerId === 'd');
    expect(prepare?.message).toMatchObject({ fence: { jobId: 'low' }, checkpointStep: 6 });
  });

  it('lends without a checkpoint while another worker holds the state', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b', 'c');
    bench.queue('low', { min: 3, priority: 10 });
    bench.allReady('low');
    bench.disconnect('b');
    const stops = sent(bench.queue('high', { max: 1, priority: 90 }), 'stop');
    expect(stops).toMatchObject([{ workerId: 'c', message: { checkpoint: false } }]);
  });

  it('lends nothing that would not be enough', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('low', { min: 2, priority: 10 });
    bench.allReady('low');
    bench.disconnect('b');
    expect(sent(bench.queue('high', { min: 2, priority: 90 }), 'stop')).toEqual([]);
    expect(bench.cluster.workers()[0]).toMatchObject({ id: 'a', jobId: 'low' });
  });

  it('keeps idle workers for the job that borrows the rest', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    bench.queue('low', { min: 2, priority: 10 });
    bench.allReady('low');
    bench.disconnect('b');
    const fence = bench.fence('low');
    bench.queue('high', { min: 2, priority: 90 });
    bench.connect('c');
    expect(bench.cluster.job('high')?.reason).toContain('about to be free');
    bench.queue('tiny', { max: 1, priority: 20 });
    expect(bench.members('tiny')).toEqual([]);
    bench.send('a', { type: 'stopped', fence });
    expect(bench.members('high')).toEqual(['a', 'c']);
  });

  it('keeps the order of ranks among the workers that a waiting job holds', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b', 'c', 'd');
    bench.queue('other', { max: 1 });
    bench.queue('job', { min: 3 });
    bench.allReady('job');
    const fence = bench.fence('other');
    bench.cancel('other');
    bench.send('a', { type: 'stopped', fence });
    bench.tick(1_000, 'a', 'b', 'c', 'd');
    expect(bench.members('job')).toEqual(['b', 'c', 'd', 'a']);
    bench.disconnect('b');
    bench.disconnect('c');
    expect(bench.members('job')).toEqual([]);
    bench.connect('e');
    expect(bench.members('job')).toEqual(['d', 'a', 'e']);
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
