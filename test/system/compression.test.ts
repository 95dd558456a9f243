import type { JobSpecInput } from '@skipring/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DisturbedJob } from './disturbed-job.js';
import { ProcessCluster } from './process-cluster.js';

// 7 steps in an epoch of samples that no batch size divides.
const LANES = { count: 6, size: 10 };
const FULL_EVERY_STEPS = 3;
const KINDS: Record<string, JobSpecInput['sync']> = {
  PowerSGD: {
    mode: 'allReduce',
    compression: { kind: 'powerSgd', matrixRank: 2, fullEverySteps: FULL_EVERY_STEPS },
  },
  'top-k': {
    mode: 'allReduce',
    compression: { kind: 'topK', fraction: 0.05, fullEverySteps: FULL_EVERY_STEPS },
  },
};

describe('compressed gradients', () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await ProcessCluster.start(2);
  });
  beforeEach(() => cluster.haveWorkers(2));
  afterAll(() => cluster.stop());

  it.each(Object.entries(KINDS))(
    '%s: the same model on one worker, and on two of which one is killed',
    async (_, sync) => {
      const job = await DisturbedJob.prepare(cluster, { lanes: LANES, sync });

      const alone = await job.submit({ max: 1 });
      await job.expectSame(alone);
      await cluster.haveWorkers(2);

      const watch = await job.submit();
      const { workers } = await watch.generation(1);
      expect(workers).toHaveLength(2);
      await watch.step(6);
      await cluster.killWorker(workers[0]!);
      const second = await watch.generation(2);
      expect(second.workers).toEqual([workers[1]]);
      expect(second.step % FULL_EVERY_STEPS).toBe(0);
      await job.expectSame(watch);
      const { isExact } = await cluster.client.ledger(watch.id);
      expect(isExact).toBe(true);
    },
  );
});
