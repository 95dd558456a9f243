import { describe, expect, it } from 'vitest';
import { disturbedCluster } from './disturbed-cluster.js';
import { DisturbedJob } from './disturbed-job.js';
import { ProcessCluster } from './process-cluster.js';

/** A gradient of 45 MB, hence of several buckets. */
const JOB = { model: { family: 'resnet', depth: 18 }, numEpochs: 1 } as const;
const STEP = 4;

describe('the ring beside the backward pass', () => {
  const disturbed = disturbedCluster({ environment: { SKIPRING_FAULTS: '1' }, job: JOB });

  it('gives the bits of one worker, and of a ring that waits for the whole gradient', async () => {
    const { job } = disturbed;
    await job.expectSame(await job.submit({ min: 1, max: 1 }));
    const waiting = await ProcessCluster.start(2, { environment: { SKIPRING_OVERLAP: '0' } });
    try {
      const { modelSha256 } = await DisturbedJob.prepare(waiting, JOB);
      expect(modelSha256).toBe(job.modelSha256);
    } finally {
      await waiting.stop();
    }
  });

  it.each(['reduceScatter', 'allGather'] as const)(
    'loses nothing when a worker is killed in the %s of a bucket',
    async (phase) => {
      const { cluster, job } = disturbed;
      const watch = await job.submit();
      const { workers } = await watch.generation(1);
      const fault = { kind: 'kill', rank: 1, step: STEP, phase } as const;
      await cluster.client.armFault({ jobId: watch.id, fault });
      const victim = cluster.worker(workers[1]!);
      expect(await victim.exited).toEqual({ code: null, signal: 'SIGKILL' });
      const second = await watch.generation(2);
      expect(second.step).toBeGreaterThanOrEqual(STEP - 1);
      await job.expectSame(watch);
    },
  );
});
