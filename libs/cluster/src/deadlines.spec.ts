import { describe, expect, it } from 'vitest';
import { ClusterBench, ofType } from './testing/fixture.js';

const LONG_MS = 1_000_000;
const lost = (effects: Parameters<typeof ofType>[0]): string[] =>
  ofType(effects, 'disconnect').map(({ workerId }) => workerId);

describe('deadlines', () => {
  it('disconnects a worker without heartbeats', () => {
    const bench = new ClusterBench();
    bench.connect('a', 'b');
    expect(lost(bench.tick(5_000))).toEqual([]);
    expect(lost(bench.tick(1, 'b'))).toEqual(['a']);
  });

  it('disconnects a worker whose compute thread is silent', () => {
    const bench = new ClusterBench();
    bench.connect('a');
    const beat = (computeSilentMs: number): string[] =>
      lost(bench.send('a', { type: 'heartbeat', computeSilentMs }));
    expect(beat(60_000)).toEqual([]);
    expect(beat(60_001)).toEqual(['a']);
  });

  it('disconnects members that are not ready in time, in one regroup', () => {
    const bench = new ClusterBench({ heartbeatTimeoutMs: LONG_MS });
    bench.connect('a', 'b', 'c');
    bench.queue('job');
    bench.ready('b', 'job');
    expect(lost(bench.tick(119_999))).toEqual([]);
    expect(lost(bench.tick(1)).sort()).toEqual(['a', 'c']);
    expect(bench.members('job')).toEqual(['b']);
    expect(bench.fence('job').generation).toBe(2);
  });

  it('disconnects a worker that does not answer stop; the cancelled job ends', () => {
    const bench = new ClusterBench({ heartbeatTimeoutMs: LONG_MS });
    bench.connect('a');
    bench.queue('job');
    bench.cancel('job');
    expect(lost(bench.tick(29_999))).toEqual([]);
    const effects = bench.tick(1);
    expect(lost(effects)).toEqual(['a']);
    expect(ofType(effects, 'jobCancelled')).toHaveLength(1);
  });

  it('finishes without ranks that do not finish in time after rank 0', () => {
    const bench = new ClusterBench({ heartbeatTimeoutMs: LONG_MS });
    bench.connect('a', 'b', 'c');
    bench.queue('job');
    bench.allReady('job');
    bench.finish('a', 'job');
    const effects = bench.tick(120_000);
    expect(lost(effects).sort()).toEqual(['b', 'c']);
    expect(ofType(effects, 'jobFinished')).toHaveLength(1);
  });

  it('goes on without rank 0 when it does not finish in time', () => {
    const bench = new ClusterBench({ heartbeatTimeoutMs: LONG_MS });
    bench.connect('a', 'b');
    bench.queue('job');
    bench.allReady('job');
    bench.finish('b', 'job');
    expect(lost(bench.tick(120_000))).toEqual(['a']);
    expect(bench.members('job')).toEqual(['b']);
  });
});
