import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from '@skipring/cli';
import { SkipringClient } from '@skipring/client';
import { finalJobStates, type JobSpecInput, type JobView } from '@skipring/protocol';

/** A real cluster in a directory of its own: Redis, a coordinator and worker processes. */
export interface TestCluster {
  readonly client: SkipringClient;
  readonly cluster: LocalCluster;
  readonly dataDirectory: string;
  readonly stop: () => Promise<void>;
}

export async function startCluster(
  numWorkers: number,
  dataRoots: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<TestCluster> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-test-'));
  try {
    const cluster = await LocalCluster.start({
      dataDirectory,
      port: 0,
      numWorkers,
      threads: 1,
      dataRoots,
      inherited: { ...process.env, ...environment },
      interrupted: new AbortController().signal,
      onStatus: () => undefined,
    });
    return {
      cluster,
      dataDirectory,
      client: new SkipringClient(cluster.endpoint),
      async stop() {
        await cluster.stop();
        await rm(dataDirectory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dataDirectory, { recursive: true, force: true });
    throw error;
  }
}

/** Registers the generated data set and waits for it. */
export async function addGlyphs(
  client: SkipringClient,
  trainSamples: number,
  testSamples: number,
): Promise<string> {
  const name = `glyphs-${trainSamples}-${testSamples}`;
  let view = await client.registerDataSet({ name, format: 'glyphs', trainSamples, testSamples });
  const deadline = Date.now() + 60_000;
  while (view.state === 'preparing' && Date.now() < deadline) {
    await sleep(100);
    view = await client.dataSet(name);
  }
  if (view.state !== 'ready') throw new Error(`data set ${name}: ${view.state} ${view.reason}`);
  return name;
}

/** Waits until `accept` takes the job's view; fails with the job's own reason. */
export async function waitForJob(
  client: SkipringClient,
  id: string,
  accept: (job: JobView) => boolean = (job) => finalJobStates.includes(job.state),
  deadlineMs = 240_000,
): Promise<JobView> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const job = await client.job(id);
    if (accept(job)) return job;
    if (finalJobStates.includes(job.state) || Date.now() > deadline) {
      throw new Error(`job ${id} is ${job.state} (${job.reason}) at step ${job.progress.step}`);
    }
    await sleep(50);
  }
}

/** Runs a job to its end and returns the model's hash. */
export async function runJob(
  client: SkipringClient,
  spec: JobSpecInput,
  deadlineMs?: number,
): Promise<string> {
  const { id } = await client.submit(spec);
  const job = await waitForJob(client, id, undefined, deadlineMs);
  if (job.state !== 'succeeded' || job.modelSha256 === null) {
    throw new Error(`job ${id} ended as ${job.state}: ${job.reason}`);
  }
  return job.modelSha256;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** A small job with everything in it: short last step, augmentation, several evaluations. */
export function smallJob(dataSet: string, changes: Partial<JobSpecInput> = {}): JobSpecInput {
  return {
    apiVersion: 'skipring/v1',
    name: 'small',
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet, augmentation: { cropPadding: 2 } },
    training: { epochs: 2, learningRate: 0.05, warmupSteps: 2 },
    lanes: { count: 4, size: 16 },
    checkpoints: { everySteps: 5 },
    ...changes,
  };
}
