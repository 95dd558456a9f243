import { join } from 'node:path';
import type { SkipringClient } from '@skipring/client';
import type { JobSpecInput } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployDirectory } from '../deploy/paths.js';
import { addGlyphs, runJob, smallJob, waitForJob } from '../support/cluster.js';
import { until } from '../support/until.js';
import { JobWatch } from '../system/job-watch.js';
import { Deployment, NAMESPACE } from './deployment.js';

const NODES = [
  { name: 'control', numGpus: 0 },
  ...[1, 2, 3, 4, 5].map((number) => ({ name: `gpu-${number}`, numGpus: 1 })),
];
/** How long the undisturbed job is to train, on one worker: there must be time for what disturbs it. */
const TRAINING_SECONDS = 100;
const NUM_STEPS = { least: 400, most: 20_000 };
const DEADLINE_MS = 480_000;

describe('a job on Kubernetes', () => {
  let deployment: Deployment;
  let spec: JobSpecInput;
  let undisturbed: string;

  const kubectl = (...args: string[]): Promise<string> =>
    deployment.plane.kubectl.run('--namespace', NAMESPACE, ...args);
  const scale = (count: number): Promise<string> =>
    kubectl('scale', 'statefulset/skipring-worker', `--replicas=${count}`);
  const nodeOf = async (pod: string): Promise<string> =>
    kubectl('get', 'pod', pod, '--output=jsonpath={.spec.nodeName}');
  const members = (watch: JobWatch, count: number) =>
    watch.first('generation', ({ workers }) => workers.length === count, DEADLINE_MS);

  beforeAll(async () => {
    deployment = await Deployment.install(join(deployDirectory, 'kubernetes/overlays/gpu'), NODES);
    await deployment.workersReady(1);
    const client = await deployment.client();
    const dataSet = await addGlyphs(client, 383, 89);
    spec = smallJob(dataSet, {
      training: { steps: NUM_STEPS.most, learningRate: 0.05, warmupSteps: 2 },
      lanes: { count: 4, size: 32 },
      checkpoints: { everySteps: 100 },
      workers: { min: 1, max: 4 },
    });
    const steps = await fittingSteps(client);
    spec = { ...spec, training: { ...spec.training, steps } };
    undisturbed = await runJob(client, spec, DEADLINE_MS);
  }, 900_000);

  afterAll(async () => {
    await deployment?.stop();
  });

  it('gives the same model while workers are scaled, a Pod deleted and a Node drained', async () => {
    const client = await deployment.client();
    const { id } = await client.submit(spec);
    const watch = new JobWatch(client, id);
    await members(watch, 1);
    await watch.step(1);

    await scale(4);
    await members(watch, 4);
    await scale(2);
    await members(watch, 2);
    // Those that went had handed over.
    expect(await lost()).toBe('0');
    await deployment.workersReady(2);

    const before = watch.ofType('generation').length;
    await kubectl('delete', 'pod', 'skipring-worker-1');
    await watch.first(
      'generation',
      (event) => watch.ofType('generation').indexOf(event) > before && event.workers.length === 2,
      DEADLINE_MS,
    );
    expect(await lost()).toBe('0');

    const node = await nodeOf('skipring-worker-0');
    const numBefore = watch.ofType('generation').length;
    await kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s');
    await watch.first(
      'generation',
      (event) =>
        watch.ofType('generation').indexOf(event) > numBefore && event.workers.length === 2,
      DEADLINE_MS,
    );
    expect(await nodeOf('skipring-worker-0')).not.toBe(node);
    expect(await lost()).toBe('0');
    expect((await client.job(id)).state).toBe('running');

    const job = await watch.ended(DEADLINE_MS);
    expect(job).toMatchObject({ state: 'succeeded', attempt: 1, modelSha256: undisturbed });
    await kubectl('uncordon', node);
  });

  it('outlives a new version of the coordinator', async () => {
    const client = await deployment.client();
    const { id } = await client.submit(spec);
    const watch = new JobWatch(client, id);
    await watch.step(20);
    const [old] = await deployment.pods('coordinator');
    await kubectl('set', 'env', 'deployment/skipring-coordinator', 'SKIPRING_LOG_LEVEL=debug');
    await kubectl('rollout', 'status', 'deployment/skipring-coordinator', '--timeout=120s');
    await until('the old coordinator is gone', async () => {
      const now = await deployment.pods('coordinator');
      return now.some(({ metadata }) => metadata?.uid === old?.metadata?.uid) ? null : true;
    });
    await deployment.coordinatorReady();
    watch.close();
    const after = new JobWatch(await deployment.client(), id);
    const job = await after.ended(DEADLINE_MS);
    expect(job).toMatchObject({ state: 'succeeded', attempt: 2, modelSha256: undisturbed });
  });

  /** As many steps as this machine makes in the time. */
  async function fittingSteps(client: SkipringClient): Promise<number> {
    const { id } = await client.submit(spec);
    const watch = new JobWatch(client, id);
    await watch.step(10);
    const startedAt = performance.now();
    await watch.step(40);
    const secondsPerStep = (performance.now() - startedAt) / 30_000;
    watch.close();
    await client.cancel(id);
    await waitForJob(client, id, ({ state }) => state === 'cancelled');
    const steps = Math.round(TRAINING_SECONDS / secondsPerStep);
    return Math.min(Math.max(steps, NUM_STEPS.least), NUM_STEPS.most);
  }

  /** Members of the one open job that left a ring without having handed over. */
  async function lost(): Promise<string | undefined> {
    return /^skipring_job_lost_members_total\{.*\} (\d+)$/m.exec(await metrics())?.[1];
  }

  async function metrics(): Promise<string> {
    const url = `http://${await deployment.coordinatorAddress()}/metrics`;
    const headers = { authorization: `Bearer ${deployment.token}` };
    return (await fetch(url, { headers })).text();
  }
});
