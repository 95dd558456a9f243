import { describe, expect, it } from 'vitest';
import { ClusterBench, ofType, sent, testStep } from './testing/fixture.js';

function running(...workers: string[]): ClusterBench {
  const bench = new ClusterBench();
  bench.connect(...workers);
  bench.queue('job');
  bench.allReady('job');
  return bench;
}

describe('endings', () => {
  it('finishes once all ranks have the same model, and frees the workers', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    expect(ofType(bench.finish('a', 'job'), 'jobFinished')).toEqual([]);
    const effects = bench.finish('b', 'job');
    expect(ofType(effects, 'jobFinished')).toMatchObject([{ modelSha256: 'm' }]);
    expect(sent(effects, 'stop').map(({ message }) => message.checkpoint)).toEqual([false, false]);
    expect(bench.cluster.jobIds()).toEqual([]);
    bench.send('a', { type: 'stopped', fence });
    expect(bench.cluster.workers().map(({ state }) => state)).toEqual(['idle', 'busy']);
  });

  it('fails the attempt when the models differ', () => {
    const bench = running('a', 'b');
    bench.finish('b', 'job', 'other');
    const effects = bench.finish('a', 'job');
    expect(ofType(effects, 'jobFinished')).toEqual([]);
    expect(ofType(effects, 'attemptFailed')).toMatchObject([{ retryable: true }]);
  });

  it('finishes without a rank that is lost after rank 0 has stored the model', () => {
    const bench = running('a', 'b');
    bench.finish('a', 'job');
    expect(ofType(bench.disconnect('b'), 'jobFinished')).toHaveLength(1);
  });

  it('ends a cancelled job once its checkpoint is stored; a second cancel does nothing', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    const effects = bench.cancel('job');
    expect(sent(effects, 'stop').map(({ message }) => message.checkpoint)).toEqual([true, false]);
    expect(ofType(effects, 'jobState')).toMatchObject([{ state: 'cancelling' }]);
    expect(bench.cancel('job')).toEqual([]);
    expect(bench.cluster.isCurrent(fence)).toBe(true);
    bench.send('a', { type: 'stopped', fence });
    expect(bench.cluster.job('job')?.state).toBe('cancelling');
    expect(ofType(bench.send('b', { type: 'stopped', fence }), 'jobCancelled')).toHaveLength(1);
    expect(bench.cluster.job('job')).toBeNull();
  });

  it('counts a step whose report crosses with the stop once the stored model is known to hold it', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    bench.step('a', 'job', 1);
    bench.cancel('job');
    expect(bench.send('a', testStep(fence, 0, 2, null))).toEqual([]);
    const effects = bench.apply({ type: 'checkpointStored', fence, step: 2 });
    expect(ofType(effects, 'rankStep')).toMatchObject([{ rank: 0, workerId: 'a' }]);
    expect(ofType(effects, 'stepCommitted')).toMatchObject([{ fence, metrics: { step: 2 } }]);
    expect(bench.send('a', testStep(fence, 0, 3, null))).toEqual([]);
  });

  it('counts it too when the model that holds it is stored already', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    bench.cancel('job');
    bench.apply({ type: 'checkpointStored', fence, step: 1 });
    const effects = bench.send('a', testStep(fence, 0, 1, null));
    expect(ofType(effects, 'stepCommitted')).toMatchObject([{ metrics: { step: 1 } }]);
  });

  it('has that rank store it that was furthest when the job regrouped', () => {
    const bench = running('a', 'b', 'c');
    const fence = bench.fence('job');
    bench.step('a', 'job', 1);
    bench.disconnect('c');
    bench.send('b', testStep(fence, 1, 2, null));
    const stops = sent(bench.cancel('job'), 'stop');
    expect(stops.map(({ workerId, message }) => [workerId, message.checkpoint])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  it('has the lowest rank that holds the newest state store it on a cancel', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b', 'c');
    bench.queue('job');
    bench.ready('a', 'job', 0);
    bench.ready('b', 'job', 7);
    bench.ready('c', 'job', 7);
    const flags = sent(bench.cancel('job'), 'stop').map(({ message }) => message.checkpoint);
    expect(flags).toEqual([false, true, false]);
  });

  it('cancels a job without workers at once', () => {
    const bench = new ClusterBench();
    bench.queue('job');
    expect(ofType(bench.cancel('job'), 'jobCancelled')).toHaveLength(1);
    expect(bench.cancel('job')).toEqual([]);
  });

  it('pauses a job once its state is stored; its workers are free, and it can be queued again', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    const effects = bench.pause('job');
    expect(sent(effects, 'stop').map(({ message }) => message.checkpoint)).toEqual([true, false]);
    expect(ofType(effects, 'jobState')).toMatchObject([
      { state: 'pausing', reason: 'paused by a user' },
    ]);
    expect(bench.pause('job')).toEqual([]);
    expect(bench.cluster.isCurrent(fence)).toBe(true);
    bench.send('a', { type: 'stopped', fence });
    const last = bench.send('b', { type: 'stopped', fence });
    expect(ofType(last, 'jobPaused')).toEqual([{ type: 'jobPaused', jobId: 'job', attempt: 1 }]);
    expect(bench.cluster.job('job')).toBeNull();
    expect(bench.cluster.workers().map(({ state }) => state)).toEqual(['idle', 'idle']);
  });

  it('cancels a job that is being paused, and does not pause one that is being cancelled', () => {
    const bench = running('a', 'b');
    const fence = bench.fence('job');
    bench.pause('job');
    const effects = bench.cancel('job');
    expect(sent(effects, 'stop')).toEqual([]);
    expect(ofType(effects, 'jobState')).toMatchObject([{ state: 'cancelling' }]);
    expect(bench.pause('job')).toEqual([]);
    bench.send('a', { type: 'stopped', fence });
    expect(ofType(bench.send('b', { type: 'stopped', fence }), 'jobCancelled')).toHaveLength(1);
  });

  it('pauses a job without workers at once', () => {
    const bench = new ClusterBench();
    bench.queue('job');
    expect(ofType(bench.pause('job'), 'jobPaused')).toHaveLength(1);
  });
});
