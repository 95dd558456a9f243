import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import { expectExactLedger } from './recovery.js';

/** Steps to see before the fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;
/** Four times the silence after which a worker is dropped. */
const FROZEN_MS = 20_000;

describe('a worker is frozen (SIGSTOP) for 20 s, then wakes (SIGCONT)', () => {
  const disturbed = disturbedCluster();

  it.each([0, 1])(
    'rank %i of 2: it is fenced, rejoins, and the model is the same',
    async (rank) => {
      const { cluster, job } = disturbed;
      // Both are needed, so the job can't end before the frozen one is back, however fast it trains.
      const watch = await job.submit({ min: 2 });
      const { workers } = await watch.generation(1);
      const frozen = workers[rank]!;
      await watch.step(BEFORE_FAULT);
      const process = cluster.worker(frozen);
      process.signal('SIGSTOP');
      const waking = sleep(FROZEN_MS);
      await watch.first(
        'state',
        ({ state, reason }) =>
          state === 'waiting' && reason.includes(`worker ${frozen} is lost (no heartbeat for`),
      );
      const connected = (await cluster.client.workers()).map(({ id }) => id);
      expect(connected).toEqual(workers.filter((id) => id !== frozen));
      await waking;
      expect(watch.ofType('generation')).toHaveLength(1);
      process.signal('SIGCONT');

      const second = await watch.generation(2);
      expect([...second.workers].sort()).toEqual([...workers].sort());
      // The one that stayed awake held the newest state: no step that was told of is redone.
      expect(second.step).toBeGreaterThanOrEqual(watch.lastStepBefore(second));
      expect(second.step).toBeLessThan(job.totalSteps);
      const { attempt } = await job.expectSame(watch);
      expect(attempt).toBe(1);
      await expectExactLedger(cluster, watch);
      expect(process.isRunning).toBe(true);
      watch.close();
    },
  );
});
