import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addGlyphs,
  runJob,
  smallJob,
  startCluster,
  waitForJob,
  type TestCluster,
} from '../support/cluster.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster(2);
});
afterAll(() => cluster.stop());

describe('a job that is paused', () => {
  it('frees its workers for others, goes on where it was, and ends with the same model', async () => {
    const { client } = cluster;
    const dataSet = await addGlyphs(client, 840, 40);
    const spec = smallJob(dataSet, { training: { epochs: 4, learningRate: 0.05 }, seed: 3 });
    const expected = await runJob(client, spec);

    const { id } = await client.submit(spec);
    await waitForJob(client, id, ({ progress }) => progress.step >= 5);
    expect((await client.pause(id)).state).toBe('pausing');
    const paused = await waitForJob(client, id, ({ state }) => state === 'paused');
    const { step, totalSteps } = paused.progress;
    expect(step).toBeLessThan(totalSteps);
    expect(paused).toMatchObject({ workers: [], finishedAt: null, reason: 'paused by a user' });
    expect((await client.pause(id)).state).toBe('paused');
    const [checkpoint] = await client.checkpoints(id);
    // A step may be committed while its workers are told to stop: then its report is no longer heard.
    expect(checkpoint?.step).toBeGreaterThanOrEqual(step);
    expect(checkpoint?.step).toBeLessThanOrEqual(step + 1);

    const other = smallJob(dataSet, { training: { steps: 2 }, workers: { min: 2, max: 2 } });
    await runJob(client, other);
    expect((await client.job(id)).state).toBe('paused');

    expect((await client.resume(id)).state).toBe('pending');
    const ended = await waitForJob(client, id);
    expect(ended).toMatchObject({ state: 'succeeded', attempt: 2, modelSha256: expected });
    await expect(client.pause(id)).rejects.toMatchObject({ code: 'JOB_NOT_PAUSABLE' });
    expect((await client.ledger(id)).epochs.length).toBe(4);
  });

  it('that waited for its turn starts only when it is resumed; it can be cancelled', async () => {
    const { client } = cluster;
    const dataSet = await addGlyphs(client, 840, 40);
    const { id } = await client.submit(smallJob(dataSet, { delayMs: 3_600_000 }));
    expect((await client.pause(id)).state).toBe('paused');
    expect((await client.cancel(id)).state).toBe('cancelled');
  });
});
