import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addGlyphs, smallJob, startCluster, waitForJob } from '../support/cluster.js';
import { ProcessCluster } from './process-cluster.js';

// Both are prime: no batch size divides them. The last step of an epoch has 23 samples, which fill one
// lane, half of another and none of the last three, so that some workers have nothing to compute.
const NUM_TRAIN = 383;
const NUM_TEST = 89;
const NUM_STEPS = 14;
// 2, 3 and 4 do not divide the number of lanes: workers own different numbers of them.
const LANES = { count: 5, size: 12 };

const spec = (dataSet: string, seed = 1) => smallJob(dataSet, { lanes: LANES, seed });

describe('the result is a function of the job spec', () => {
  it('is the same model on 1, 2, 3 and 4 workers, and on a rerun in other processes', async () => {
    const models: string[] = [];
    const cluster = await ProcessCluster.start(4);
    try {
      const { client } = cluster;
      const dataSet = await addGlyphs(client, NUM_TRAIN, NUM_TEST);
      for (const count of [1, 2, 3, 4]) {
        const workers = { min: count, max: count };
        const { id } = await client.submit({ ...spec(dataSet), workers });
        const training = await waitForJob(client, id, ({ progress }) => progress.step > 0);
        expect(training.workers).toHaveLength(count);
        const job = await waitForJob(client, id, ({ state }) => state === 'succeeded');
        expect(job).toMatchObject({ generation: 1, progress: { step: NUM_STEPS } });
        models.push(job.modelSha256!);
        await cluster.haveWorkers(4);
      }
    } finally {
      await cluster.stop();
    }

    // As `skipring up` starts it.
    const { client, stop } = await startCluster(1);
    try {
      const dataSet = await addGlyphs(client, NUM_TRAIN, NUM_TEST);
      const again = await client.submit(spec(dataSet));
      const other = await client.submit(spec(dataSet, 2));
      const isDone = ({ state }: { state: string }): boolean => state === 'succeeded';
      models.push((await waitForJob(client, again.id, isDone)).modelSha256!);
      const { modelSha256 } = await waitForJob(client, other.id, isDone);
      expect(modelSha256).not.toBe(models[0]);

      const hash = createHash('sha256');
      for await (const chunk of await client.model(again.id)) hash.update(chunk);
      expect(hash.digest('hex')).toBe(models[0]);
    } finally {
      await stop();
    }
    expect(models).toHaveLength(5);
    expect(new Set(models).size).toBe(1);
  });
});
