import { describe, expect, it } from 'vitest';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import { ABORT_LIMIT_MS, abortTimes, expectExactLedger, struck } from './recovery.js';

const STEP = 9;

describe('a job ends with the undisturbed model', () => {
  const disturbed = disturbedCluster({
    environment: { SKIPRING_FAULTS: '1', SKIPRING_COMPUTE_SILENCE_MS: '15000' },
  });

  it.each([
    ['corruptFrame', 'CHECKSUM'],
    ['dropSegments', 'SEGMENT_LOST'],
  ] as const)('after %s: the step is redone by the same workers', async (kind, code) => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    const fault = { kind, rank: 0, step: STEP, phase: 'reduceScatter' } as const;
    const { id } = await cluster.client.armFault({ jobId: watch.id, fault });
    const second = await watch.generation(2);
    expect([...second.workers].sort()).toEqual([...workers].sort());
    expect(second.step).toBe(STEP - 1);
    const view = await struck(cluster, id);
    const processes = workers.map((worker) => cluster.worker(worker));
    for (const ms of abortTimes(view, processes, 1)) expect(ms).toBeLessThan(ABORT_LIMIT_MS);
    const [broken] = processes[1]!.logged('ringBroken').filter(({ jobId }) => jobId === watch.id);
    expect(broken).toMatchObject({ code });
    await job.expectSame(watch);
    await expectExactLedger(cluster, watch);
    watch.close();
  });

  it('after a compute call hangs: its worker ends itself, and the other goes on', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    const fault = {
      kind: 'hang',
      rank: 1,
      step: STEP,
      phase: 'compute',
      durationMs: 120_000,
    } as const;
    await cluster.client.armFault({ jobId: watch.id, fault });
    const victim = cluster.worker(workers[1]!);
    expect(await victim.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(victim.logged('computeHangs')).toHaveLength(1);
    const second = await watch.generation(2);
    expect(second.workers).toEqual([workers[0]]);
    expect(second.step).toBe(STEP - 1);
    await job.expectSame(watch);
    await expectExactLedger(cluster, watch);
    watch.close();
  });
});
