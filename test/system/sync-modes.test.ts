import type { JobSpecInput } from '@skipring/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DisturbedJob } from './disturbed-job.js';
import { ProcessCluster } from './process-cluster.js';

// 7 steps in an epoch of samples that no batch size divides; some replicas have none in the last.
const LANES = { count: 6, size: 10 };
const EVERY_STEPS = 3;
const MODES: Record<string, JobSpecInput['sync']> = {
  'local SGD after a warm-up': {
    mode: 'localSgd',
    replicas: 3,
    everySteps: EVERY_STEPS,
    warmupSteps: 4,
  },
  'DiLoCo with optimizer slots that replicas keep': {
    mode: 'diloco',
    replicas: 3,
    everySteps: EVERY_STEPS,
  },
};

describe('replicas that agree now and then', () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await ProcessCluster.start(2);
  });
  beforeEach(() => cluster.haveWorkers(2));
  afterAll(() => cluster.stop());

  it.each(Object.entries(MODES))(
    '%s: the same model on one worker, and after workers are killed',
    async (_, sync) => {
      const job = await DisturbedJob.prepare(cluster, { lanes: LANES, sync });

      const alone = await job.submit({ max: 1 });
      await job.expectSame(alone);
      await cluster.haveWorkers(2);

      const watch = await job.submit();
      const { workers } = await watch.generation(1);
      expect(workers).toHaveLength(2);
      await watch.step(7);
      await cluster.killWorker(workers[0]!);
      const second = await watch.generation(2);
      expect(second.workers).toEqual([workers[1]]);
      // Periods begin after a warm-up of 4 steps, or with the first step.
      expect((second.step - (sync?.mode === 'localSgd' ? 4 : 0)) % EVERY_STEPS).toBe(0);
      await watch.first('checkpoint', ({ step }) => step > second.step);
      await cluster.killWorker(workers[1]!);
      await watch.first('state', ({ state }) => state === 'waiting');
      await cluster.addWorker();
      await cluster.addWorker();
      await job.expectSame(watch);
      const { isExact } = await cluster.client.ledger(watch.id);
      expect(isExact).toBe(true);
    },
  );
});
