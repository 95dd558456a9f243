import { SkipringClient } from '@skipring/client';
import type { DataSetRegistrationInput } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallJob, startCluster, waitForJob, type TestCluster } from '../support/cluster.js';
import { until } from '../support/until.js';

/** Of a label and a picture of 32x32 values. */
const SAMPLE_BYTES = 2 + 32 * 32;
const DATA_SET_BYTES = 100 * SAMPLE_BYTES;
/** More than the data set; the checkpoint of a ResNet-8 is over half a megabyte. */
const LIMIT_BYTES = 3 * DATA_SET_BYTES;
const job = smallJob('own', { training: { steps: 2 } });

let cluster: TestCluster;
/** With a quota, without one, and of the configuration. */
let ann: SkipringClient;
let bob: SkipringClient;
let root: SkipringClient;

beforeAll(async () => {
  cluster = await startCluster(1);
  root = cluster.client;
  ann = await tokenOf('ann', LIMIT_BYTES);
  bob = await tokenOf('bob', null);
});
afterAll(() => cluster.stop());

async function tokenOf(name: string, storageBytes: number | null): Promise<SkipringClient> {
  const { token } = await root.createToken({ name, role: 'submitter', limits: { storageBytes } });
  return new SkipringClient({ url: cluster.cluster.endpoint.url, token });
}

const glyphs = (name: string, trainSamples: number): DataSetRegistrationInput => ({
  ...{ name, format: 'glyphs', trainSamples, testSamples: 20 },
});

async function settle(client: SkipringClient, name: string, trainSamples: number) {
  await client.registerDataSet(glyphs(name, trainSamples));
  return until(`data set ${name} is settled`, async () => {
    const view = await client.dataSet(name);
    return view.state === 'preparing' ? null : view;
  });
}

const exceeded = {
  code: 'QUOTA_EXCEEDED',
  message: expect.stringContaining(`storageBytes of at most ${LIMIT_BYTES}`) as string,
};

describe('a quota of storage', () => {
  it('counts prepared data sets: one that is too large is refused, and leaves nothing', async () => {
    expect(await settle(ann, 'own', 80)).toMatchObject({ state: 'ready' });
    const large = await settle(ann, 'large', 400);
    expect(large.state).toBe('failed');
    expect(large.reason).toBe(
      `it takes ${420 * SAMPLE_BYTES} bytes; ann has stored ${DATA_SET_BYTES} and may have ` +
        `storageBytes of at most ${LIMIT_BYTES}`,
    );
    expect(await settle(bob, 'large', 400)).toMatchObject({ state: 'ready' });
  });

  it('counts checkpoints: above it neither jobs nor data sets are taken, of others they are', async () => {
    const { id } = await ann.submit(job);
    expect(await waitForJob(root, id)).toMatchObject({ state: 'succeeded' });
    await expect(ann.submit(job)).rejects.toMatchObject(exceeded);
    await expect(ann.registerDataSet(glyphs('more', 20))).rejects.toMatchObject(exceeded);
    // What is there already can be asked for again.
    expect(await ann.registerDataSet(glyphs('own', 80))).toMatchObject({ state: 'ready' });
    const other = await bob.submit(job);
    expect(await waitForJob(root, other.id)).toMatchObject({ state: 'succeeded' });
  });

  it('that an admin raises lets the owner go on', async () => {
    await root.revokeToken('ann');
    ann = await tokenOf('ann', 100e6);
    const { id } = await ann.submit(job);
    expect(await waitForJob(root, id)).toMatchObject({ state: 'succeeded' });
  });
});
