import { faultPhases, type FaultPhase } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import {
  ABORT_LIMIT_MS,
  abortTimes,
  expectExactLedger,
  RECOVERY_LIMIT_MS,
  struck,
} from './recovery.js';

/** Behind an evaluation, before a checkpoint, and far from the end. */
const STEP = 9;

interface Case {
  readonly phase: FaultPhase;
  readonly rank: number;
  readonly worldSize: number;
}

/** Each rank in each phase, for 2 to 4 workers. */
const everyCase: readonly Case[] = [2, 3, 4].flatMap((worldSize) =>
  Array.from({ length: worldSize }, (_, rank) =>
    faultPhases.map((phase) => ({ phase, rank, worldSize })),
  ).flat(),
);
/** Each phase once, with another rank or another number of workers each time. */
const someCases = faultPhases.map((phase, index) => {
  const worldSize = 2 + (index % 3);
  return { phase, rank: index % worldSize, worldSize };
});
const isFull = process.env.SKIPRING_CHAOS === 'full';

describe('a worker is killed', () => {
  const disturbed = disturbedCluster({ environment: { SKIPRING_FAULTS: '1' } });

  it.each(isFull ? everyCase : someCases)(
    'in $phase: rank $rank of $worldSize',
    async ({ phase, rank, worldSize }) => {
      const { cluster, job } = disturbed;
      await cluster.haveWorkers(worldSize);
      const watch = await job.submit({ max: worldSize });
      const { workers } = await watch.generation(1);
      expect(workers).toHaveLength(worldSize);
      const fault = { kind: 'kill', rank, step: STEP, phase } as const;
      const { id } = await cluster.client.armFault({ jobId: watch.id, fault });
      const victim = cluster.worker(workers[rank]!);
      expect(await victim.exited).toEqual({ code: null, signal: 'SIGKILL' });

      const second = await watch.generation(2);
      const survivors = workers.filter((worker) => worker !== workers[rank]);
      // In any order: the ring may be laid anew by what was measured of its links.
      expect([...second.workers].sort()).toEqual([...survivors].sort());
      expect(second.step).toBeGreaterThanOrEqual(STEP - 1);
      expect(second.step).toBeLessThan(job.totalSteps);
      await job.expectSame(watch);
      await expectExactLedger(cluster, watch);

      const view = await struck(cluster, id);
      expect(view.workerId).toBe(workers[rank]);
      const processes = survivors.map((worker) => cluster.worker(worker));
      for (const ms of abortTimes(view, processes, 1)) expect(ms).toBeLessThan(ABORT_LIMIT_MS);
      expect(view.recoverMs).toBeLessThan(RECOVERY_LIMIT_MS);
      expect(view.recoverMs).not.toBeNull();
      watch.close();
      await until('idle workers', async () =>
        (await cluster.client.workers()).every(({ state }) => state === 'idle') ? true : null,
      );
    },
  );
});
