import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addGlyphs, runJob, smallJob, startCluster, waitForJob } from '../support/cluster.js';

// 410 samples: no batch size divides them, so every epoch ends with a short step.
const NUM_TRAIN = 410;
const NUM_TEST = 90;

describe('the result is a function of the job spec', () => {
  it('ends with the same model on 1, 2, 3 and 4 workers, and on a rerun', async () => {
    const hashes: string[] = [];
    for (const numWorkers of [1, 2, 3, 4]) {
      const { client, stop } = await startCluster(numWorkers);
      try {
        const dataSet = await addGlyphs(client, NUM_TRAIN, NUM_TEST);
        const spec = smallJob(dataSet, { workers: { min: numWorkers } });
        hashes.push(await runJob(client, spec));
        if (numWorkers === 2) hashes.push(await runJob(client, spec));
      } finally {
        await stop();
      }
    }
    expect(hashes).toHaveLength(5);
    expect(new Set(hashes).size).toBe(1);
  });

  it('depends on the seed', async () => {
    const { client, stop } = await startCluster(1);
    try {
      const dataSet = await addGlyphs(client, NUM_TRAIN, NUM_TEST);
      const first = await runJob(client, smallJob(dataSet, { seed: 1 }));
      const second = await runJob(client, smallJob(dataSet, { seed: 2 }));
      expect(first).not.toBe(second);
    } finally {
      await stop();
    }
  });
});

describe('a disturbed job', () => {
  it('ends with the undisturbed model after a worker is killed, and after cancel and resume', async () => {
    const { client, cluster, stop } = await startCluster(3);
    try {
      const dataSet = await addGlyphs(client, NUM_TRAIN, NUM_TEST);
      const spec = smallJob(dataSet, { training: { epochs: 4, learningRate: 0.05 } });
      const expected = await runJob(client, spec);

      const cancelled = await client.submit(spec);
      await waitForJob(client, cancelled.id, (job) => job.progress.step >= 4);
      await client.cancel(cancelled.id);
      await waitForJob(client, cancelled.id, (job) => job.state === 'cancelled');
      await client.resume(cancelled.id);
      const resumed = await waitForJob(client, cancelled.id, (job) => job.state === 'succeeded');
      expect(resumed.modelSha256).toBe(expected);
      expect(resumed.attempt).toBe(2);

      const killed = await client.submit(spec);
      await waitForJob(client, killed.id, (job) => job.progress.step >= 3);
      process.kill(cluster.workerPids[1]!, 'SIGKILL');
      const ended = await waitForJob(client, killed.id, (job) => job.state === 'succeeded');
      expect(ended.modelSha256).toBe(expected);
      expect(ended.generation).toBeGreaterThan(1);
      expect(ended.workers).not.toContain('local-2');

      const hash = createHash('sha256');
      for await (const chunk of await client.model(killed.id)) hash.update(chunk);
      expect(hash.digest('hex')).toBe(expected);
    } finally {
      await stop();
    }
  });
});
