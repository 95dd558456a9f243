import { describe, expect, it } from 'vitest';
import { ClusterBench, sent, testHello, testJob, type TestJob } from './testing/fixture.js';

function queueExpecting(
  bench: ClusterBench,
  id: string,
  expected: readonly string[],
  options: TestJob = {},
): void {
  bench.apply({ type: 'jobQueued', job: { ...testJob(id, options), expected } });
}

function connectHolding(bench: ClusterBench, id: string, jobId: string, step: number): void {
  bench.apply({ type: 'workerConnected', hello: testHello(id, 1, { jobId, step }) });
}

describe('a job that ran before the coordinator restarted', () => {
  it('waits for the workers that it had, for a while', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a', 'b']);
    bench.connect('c');
    connectHolding(bench, 'a', 'job', 47);
    expect(bench.cluster.job('job')).toMatchObject({
      state: 'waiting',
      reason: 'waits for b to come back',
    });
    bench.connect('b');
    expect(bench.members('job')).toEqual(['a', 'c', 'b']);
    expect(sent(bench.effects, 'prepare')[0]?.message.fence.generation).toBe(1);
  });

  it('begins without them when that time is over', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a']);
    bench.connect('c');
    bench.tick(6_000, 'c');
    expect(bench.members('job')).toEqual(['c']);
  });

  it('begins with those that hold the furthest state, and frees what it can not use', () => {
    const bench = new ClusterBench();
    bench.connect('fresh');
    connectHolding(bench, 'behind', 'job', 46);
    connectHolding(bench, 'furthest', 'job', 47);
    queueExpecting(bench, 'job', ['behind', 'furthest'], { max: 1, checkpointStep: 40 });
    expect(bench.members('job')).toEqual(['furthest']);
    expect(sent(bench.effects, 'prepare')[0]?.message.checkpointStep).toBeNull();
    expect(sent(bench.effects, 'stop')).toMatchObject([
      { workerId: 'behind', message: { checkpoint: false } },
    ]);
  });

  it('takes no state that is behind its checkpoint', () => {
    const bench = new ClusterBench();
    connectHolding(bench, 'behind', 'job', 30);
    queueExpecting(bench, 'job', ['behind'], { checkpointStep: 40 });
    expect(sent(bench.effects, 'prepare')[0]?.message.checkpointStep).toBe(40);
  });

  it('does not lose a worker to another job before its state is stored', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a', 'b'], { min: 2 });
    bench.queue('other', { min: 1, priority: 90 });
    connectHolding(bench, 'a', 'job', 47);
    expect(bench.members('other')).toEqual([]);
    const stops = sent(bench.effects, 'stop');
    expect(stops).toMatchObject([{ workerId: 'a', message: { checkpoint: true } }]);
    const { fence } = stops[0]!.message;
    expect(fence.generation).toBe(0);
    expect(bench.cluster.isCurrent(fence)).toBe(true);
    bench.send('a', { type: 'stopped', fence });
    expect(bench.members('other')).toEqual(['a']);
  });

  it('has the furthest state stored when it is cancelled', () => {
    const bench = new ClusterBench();
    connectHolding(bench, 'behind', 'job', 40);
    connectHolding(bench, 'furthest', 'job', 47);
    queueExpecting(bench, 'job', [], { min: 3, checkpointStep: 40 });
    bench.cancel('job');
    const told = sent(bench.effects, 'stop').map(({ workerId, message }) => [
      workerId,
      message.checkpoint,
    ]);
    expect(told).toEqual([
      ['furthest', true],
      ['behind', false],
    ]);
  });
});
