import { describe, expect, it } from 'vitest';
import { ClusterBench, ofType, sent, testHello, testJob, type TestJob } from './testing/fixture.js';

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

describe('a job that is halted before its workers are back', () => {
  it('waits for them, has the furthest state stored, and ends then', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a', 'b'], { checkpointStep: 40 });
    connectHolding(bench, 'a', 'job', 46);
    bench.pause('job');
    expect(bench.cluster.job('job')).toMatchObject({
      state: 'pausing',
      reason: 'paused by a user; waits for b to come back',
    });
    expect(sent(bench.effects, 'stop')).toEqual([]);
    connectHolding(bench, 'b', 'job', 47);
    const stops = sent(bench.effects, 'stop');
    expect(stops.map(({ workerId, message }) => [workerId, message.checkpoint])).toEqual([
      ['b', true],
      ['a', false],
    ]);
    const { fence } = stops[0]!.message;
    bench.send('b', { type: 'stopped', fence });
    expect(ofType(bench.send('a', { type: 'stopped', fence }), 'jobPaused')).toHaveLength(1);
  });

  it('keeps to its halt when a worker that is back leaves meanwhile', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a', 'b']);
    connectHolding(bench, 'a', 'job', 46);
    bench.pause('job');
    const stops = sent(bench.drain('a'), 'stop');
    expect(stops).toMatchObject([{ workerId: 'a', message: { checkpoint: true } }]);
    expect(bench.cluster.job('job')?.state).toBe('pausing');
  });

  it('ends without them when that time is over', () => {
    const bench = new ClusterBench();
    queueExpecting(bench, 'job', ['a']);
    expect(ofType(bench.cancel('job'), 'jobCancelled')).toEqual([]);
    expect(ofType(bench.tick(6_000), 'jobCancelled')).toHaveLength(1);
  });

  it('goes on being halted when it was when the coordinator stopped', () => {
    const bench = new ClusterBench();
    const job = { ...testJob('job'), expected: ['a'], halt: 'pausing' as const };
    bench.apply({ type: 'jobQueued', job });
    expect(bench.cluster.job('job')?.state).toBe('pausing');
    connectHolding(bench, 'a', 'job', 47);
    const [stop] = sent(bench.effects, 'stop');
    expect(stop).toMatchObject({ workerId: 'a', message: { checkpoint: true } });
    const { fence } = stop!.message;
    expect(ofType(bench.send('a', { type: 'stopped', fence }), 'jobPaused')).toHaveLength(1);
    expect(sent(bench.effects, 'prepare')).toEqual([]);
  });
});
