import { describe, expect, it } from 'vitest';
import { fits, settingsOf } from './fits.js';
import type { Hello } from './messages.js';
import { ClusterBench, testHello, testJob } from './testing/fixture.js';

const gpu = { kind: 'gpu', name: 'test', memoryBytes: 0 } as const;
const cpu = { ...gpu, kind: 'cpu' } as const;

describe('fits', () => {
  type Case = [Hello['device'], number, boolean | null, number, boolean, boolean];
  // device, threads and TF32 of a worker (null: it does not say); threads and TF32 of a job
  it.each<Case>([
    [cpu, 1, true, 1, true, true],
    [cpu, 2, true, 1, true, false],
    [cpu, 1, true, 1, false, true],
    [gpu, 1, true, 1, true, true],
    [gpu, 1, true, 1, false, false],
    [gpu, 1, false, 1, true, false],
    [gpu, 1, false, 1, false, true],
    [gpu, 2, false, 1, false, false],
    [gpu, 1, null, 1, true, true],
    [gpu, 1, null, 1, false, false],
  ])(
    '%o, %i threads, TF32 %s; %i threads, TF32 %s: %s',
    (device, threads, tf32, wantedThreads, wantedTf32, expected) => {
      const worker = { device, threads, ...(tf32 === null ? {} : { tf32 }) };
      const { spec } = testJob('job', { threads: wantedThreads, tf32: wantedTf32 });
      expect(fits(worker, spec)).toBe(expected);
    },
  );

  it('tells jobs apart by all that it looks at', () => {
    const jobs = [{}, { threads: 2 }, { tf32: false }, { threads: 2, tf32: false }];
    const settings = jobs.map((job) => settingsOf(testJob('job', job).spec));
    expect(new Set(settings).size).toBe(4);
  });
});

describe('a job without TF32', () => {
  it('waits for GPUs on which it is off, and says so', () => {
    const bench = new ClusterBench();
    bench.queue('precise', { tf32: false });
    const hello = { ...testHello('fast'), device: gpu };
    bench.apply({ type: 'workerConnected', hello });
    expect(bench.cluster.job('precise')).toMatchObject({
      state: 'waiting',
      reason: expect.stringContaining('1 worker with 1 thread and without TF32') as string,
    });
    const off = { ...testHello('precise-one'), device: gpu, tf32: false };
    bench.apply({ type: 'workerConnected', hello: off });
    expect(bench.members('precise')).toEqual(['precise-one']);
  });

  it('does not hold up one with it', () => {
    const bench = new ClusterBench();
    bench.queue('precise', { tf32: false, priority: 90 });
    bench.queue('fast', { priority: 10 });
    bench.apply({ type: 'workerConnected', hello: { ...testHello('gpu'), device: gpu } });
    expect(bench.members('fast')).toEqual(['gpu']);
  });
});
