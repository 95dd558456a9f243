import { describe, expect, it } from 'vitest';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import { ABORT_LIMIT_MS, abortTimes, expectExactLedger, struck } from './recovery.js';

const STEP = 9;
/** A worker compiles its model in less time, also on a machine that is busy with other work. */
const SILENCE_LIMIT_MS = 15_000;

describe('a job ends with the undisturbed model', () => {
  const disturbed = disturbedCluster({
    environment: {
      SKIPRING_FAULTS: '1',
      SKIPRING_COMPUTE_SILENCE_MS: String(SILENCE_LIMIT_MS),
    },
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

  it.each([
    ['the compute call of a step', 'compute', 'the other goes on', 2],
    ['one of an evaluation', 'evaluation', 'a spare takes its place', 3],
  ] as const)(
    'after %s hangs (%s): its worker ends itself, and %s',
    async (_, phase, __, numWorkers) => {
      const { cluster, job } = disturbed;
      await cluster.haveWorkers(numWorkers);
      // With a spare the job waits for it, so that it can't end before.
      const watch = await job.submit({ min: numWorkers - 1, max: 2 });
      const { workers } = await watch.generation(1);
      const rank = phase === 'compute' ? 1 : 0;
      const fault = { kind: 'hang', rank, step: STEP, phase, durationMs: 120_000 } as const;
      const { id } = await cluster.client.armFault({ jobId: watch.id, fault });
      const victim = cluster.worker(workers[rank]!);
      expect(await victim.exited).toEqual({ code: null, signal: 'SIGKILL' });
      const [hung, ...others] = victim.logged('computeHangs');
      expect(others).toEqual([]);
      // The pulse is looked at four times a second.
      expect(hung!.silentMs).toBeGreaterThan(SILENCE_LIMIT_MS);
      expect(hung!.silentMs).toBeLessThan(SILENCE_LIMIT_MS + 2_000);
      expect(await struck(cluster, id)).toMatchObject({ workerId: workers[rank] });
      const second = await watch.generation(2);
      expect(second.workers).toHaveLength(numWorkers - 1);
      expect(second.workers).toContain(workers[1 - rank]);
      expect(second.workers).not.toContain(workers[rank]);
      await job.expectSame(watch);
      await expectExactLedger(cluster, watch);
      watch.close();
    },
  );
});
