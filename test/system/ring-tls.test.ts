import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '@skipring/transport-ws/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addGlyphs, smallJob, waitForJob } from '../support/cluster.js';
import { ProcessCluster } from './process-cluster.js';

let cluster: ProcessCluster;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipring-tls-'));
  cluster = await ProcessCluster.start(0);
});
afterAll(async () => {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

it('workers train over TLS, to the same model as one alone', async () => {
  const { client } = cluster;
  const dataSet = await addGlyphs(client, 120, 40);
  const models: (string | null)[] = [];
  const certificates = [selfSigned(), selfSigned()];
  const ca = certificates.map(({ cert }) => cert).join('');
  for (const [index, { cert, key }] of certificates.entries()) {
    const file = (kind: string) => join(directory, `${index}.${kind}.pem`);
    await writeFile(file('cert'), cert);
    await writeFile(file('key'), key, { mode: 0o600 });
    await writeFile(file('ca'), ca);
    await cluster.addWorker(cluster.url, {
      SKIPRING_RING_TLS_CERT: file('cert'),
      SKIPRING_RING_TLS_KEY: file('key'),
      SKIPRING_RING_TLS_CA: file('ca'),
    });
  }
  for (const count of [1, 2]) {
    const spec = smallJob(dataSet, { workers: { min: count, max: count } });
    const { id } = await client.submit(spec);
    const job = await waitForJob(client, id, ({ state }) => state === 'succeeded');
    expect(job.generation).toBe(1);
    models.push(job.modelSha256);
  }
  expect(models[0]).not.toBeNull();
  expect(models[1]).toBe(models[0]);
});
