import { describe, expect, it } from 'vitest';
import { ClusterBench, sent } from './testing/fixture.js';

const HIGH = { priority: 90 };
const LOW = { priority: 10 };

/** A low job that trains on these workers. */
function training(ids: readonly string[], options: Parameters<ClusterBench['queue']>[1]) {
  const bench = new ClusterBench();
  bench.connect(...ids);
  bench.queue('low', { ...LOW, ...options });
  bench.allReady('low', 5);
  bench.step(ids[0]!, 'low', 6);
  return bench;
}

describe('a job of a higher priority', () => {
  it('takes workers that another has beyond its minimum, and its state stays with it', () => {
    const bench = training(['a', 'b', 'c'], { min: 1 });
    const fence = bench.fence('low');
    const effects = bench.queue('high', { ...HIGH, min: 2 });
    expect(sent(effects, 'stop')).toMatchObject([
      { workerId: 'b', message: { fence, checkpoint: false } },
      { workerId: 'c', message: { fence, checkpoint: false } },
    ]);
    expect(bench.members('low')).toEqual(['a']);
    expect(bench.cluster.job('low')?.reason).toContain('job high of a higher priority takes');
    bench.send('b', { type: 'stopped', fence });
    expect(bench.members('high')).toEqual([]);
    bench.send('c', { type: 'stopped', fence });
    expect(bench.members('high')).toEqual(['b', 'c']);
    bench.ready('a', 'low', 6);
    expect(bench.cluster.job('low')).toMatchObject({ state: 'running', committedStep: 6 });
  });

  it('stops one that cannot do with fewer, once its state is stored, and that goes on later', () => {
    const bench = training(['a', 'b'], { min: 2 });
    const fence = bench.fence('low');
    const effects = bench.queue('high', { ...HIGH, max: 2 });
    expect(sent(effects, 'stop')).toMatchObject([
      { workerId: 'a', message: { checkpoint: true } },
      { workerId: 'b', message: { checkpoint: false } },
    ]);
    expect(bench.cluster.job('low')?.reason).toContain('a checkpoint is stored first');
    bench.apply({ type: 'checkpointStored', fence, step: 6 });
    bench.send('a', { type: 'stopped', fence });
    expect(bench.members('high')).toEqual(['a']);
    bench.send('b', { type: 'stopped', fence });
    bench.allReady('high');
    const high = bench.fence('high');
    bench.tick(1_000, 'a', 'b');
    expect(bench.members('low')).toEqual([]);
    bench.finish('a', 'high');
    bench.send('a', { type: 'stopped', fence: high });
    expect(bench.members('low')).toEqual(['a', 'b']);
    const prepares = sent(bench.effects, 'prepare').slice(-2);
    expect(prepares.map(({ message }) => message.checkpointStep)).toEqual([6, 6]);
  });

  it('lets all jobs shrink before it stops one, the lowest and latest first', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b', 'c', 'd', 'e');
    bench.queue('middle', { priority: 50, min: 1, max: 2 });
    bench.queue('early', { ...LOW, min: 1, max: 1 });
    bench.queue('late', { ...LOW, min: 1, max: 2 });
    for (const id of ['middle', 'early', 'late']) bench.allReady(id);
    bench.queue('high', { ...HIGH, min: 2 });
    const sizes = () => ['middle', 'early', 'late'].map((id) => bench.members(id).length);
    expect(sizes()).toEqual([1, 1, 1]);
    bench.queue('higher', { priority: 95, min: 3 });
    expect(sizes()).toEqual([1, 1, 0]);
  });

  it('takes nothing that would not be enough, and nothing from its equals', () => {
    const bench = training(['a', 'b'], { min: 1 });
    expect(sent(bench.queue('large', { ...HIGH, min: 3 }), 'stop')).toEqual([]);
    expect(sent(bench.queue('equal', { ...LOW, min: 1 }), 'stop')).toEqual([]);
    expect(sent(bench.queue('other', { ...HIGH, min: 1, threads: 4 }), 'stop')).toEqual([]);
    expect(bench.members('low')).toEqual(['a', 'b']);
  });

  it('waits for a job that is about to finish', () => {
    const bench = training(['a', 'b'], { min: 2 });
    bench.finish('a', 'low');
    const effects = bench.queue('high', HIGH);
    expect(sent(effects, 'stop')).toEqual([]);
    bench.finish('b', 'low');
    expect(bench.cluster.job('low')).toBeNull();
  });

  it('takes no more while workers are on their way to it', () => {
    const bench = training(['a', 'b', 'c'], { min: 1 });
    bench.queue('high', HIGH);
    expect(bench.members('low')).toEqual(['a', 'b']);
    expect(sent(bench.tick(100, 'a', 'b', 'c'), 'stop')).toEqual([]);
    expect(bench.members('low')).toEqual(['a', 'b']);
  });
});
