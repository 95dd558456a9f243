import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { deployDirectory } from '../deploy/paths.js';
import { PrometheusServer } from '../deploy/prometheus-server.js';
import { addGlyphs, smallJob } from '../support/cluster.js';
import { ensureDebianProgram } from '../support/debian-program.js';
import { freePort } from '../support/free-port.js';
import { JobWatch } from '../system/job-watch.js';
import { Deployment } from './deployment.js';
import { Keda } from './keda.js';

const NODES = [
  { name: 'control', numGpus: 0 },
  { name: 'gpu-1', numGpus: 2 },
  { name: 'gpu-2', numGpus: 2 },
];
const DEADLINE_MS = 300_000;
const program = await ensureDebianProgram('prometheus', 'prometheus');

describe.skipIf(program === undefined)('KEDA (needs the program prometheus, or apt)', () => {
  let directory: string;
  let deployment: Deployment;
  let prometheus: PrometheusServer;
  let keda: Keda;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-overlay-'));
    const port = await freePort();
    await writeOverlay(directory, port);
    deployment = await Deployment.install(directory, NODES);
    prometheus = await PrometheusServer.start(
      program!,
      join(deployDirectory, 'prometheus/rules'),
      { coordinator: await deployment.coordinatorAddress(), token: deployment.token, workers: [] },
      port,
    );
    keda = await Keda.start(deployment.plane);
  });

  afterAll(async () => {
    await keda?.stop();
    await prometheus?.stop();
    await deployment?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('runs no worker for no job, as many as a job can use, and then none again', async () => {
    await deployment.workersReady(0);
    const client = await deployment.client();
    const dataSet = await addGlyphs(client, 383, 89);
    const training = { steps: 200, learningRate: 0.05, warmupSteps: 2 };
    const lanes = { count: 4, size: 32 };
    const workers = { min: 2, max: 3 };
    const { id } = await client.submit(smallJob(dataSet, { training, lanes, workers }));
    const watch = new JobWatch(client, id);
    await watch.first('state', ({ reason }) => reason.startsWith('needs 2 workers'), DEADLINE_MS);

    await watch.first('generation', (event) => event.workers.length === 3, DEADLINE_MS);
    const job = await watch.ended(DEADLINE_MS);
    expect(job).toMatchObject({ state: 'succeeded', attempt: 1 });
    await deployment.workersReady(0);
  });
});

/** As `gpu`, with the addresses of this machine and the times of a test. */
async function writeOverlay(directory: string, prometheusPort: number): Promise<void> {
  const server = `http://127.0.0.1:${prometheusPort}`;
  const behavior = '/spec/advanced/horizontalPodAutoscalerConfig/behavior';
  const patch = [
    { op: 'replace', path: '/spec/triggers/0/metadata/serverAddress', value: server },
    { op: 'replace', path: '/spec/pollingInterval', value: 2 },
    { op: 'replace', path: '/spec/cooldownPeriod', value: 5 },
    { op: 'replace', path: `${behavior}/scaleDown/stabilizationWindowSeconds`, value: 5 },
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(directory, join(deployDirectory, 'kubernetes/overlays/gpu'))],
    patches: [{ target: { kind: 'ScaledObject' }, patch: stringify(patch) }],
  };
  await writeFile(join(directory, 'kustomization.yaml'), stringify(kustomization));
}
