import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SkipringClient } from '@skipring/client';
import { API_VERSION, type JobSpecInput } from '@skipring/protocol';
import { prepareDataSet } from '../commands/data-sets.js';
import type { CommandContext } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { followJob, requireSuccess } from '../follow.js';
import type { LocalCluster } from '../launch/local-cluster.js';
import { disturbJob } from './disturb-job.js';
import { disturbance } from './plan.js';
import { slope, usageOf } from './process-usage.js';
import { countKinds, spread, type ChaosReport, type DisturbedRun, type Struck } from './report.js';

/** Sizes that no batch divides: short last steps, empty lanes. */
const DATA_SET = {
  name: 'chaos-glyphs',
  format: 'glyphs',
  trainSamples: 383,
  testSamples: 89,
} as const;
const SAMPLE_INTERVAL_MS = 5_000;
/** Memory of a process grows while it warms up; this much of the time is not looked at. */
const WARM_UP = 0.3;
/** What a coordinator may hold beyond what it held at first: sockets of requests under way. */
const SPARE_DESCRIPTORS = 20;

export interface ChaosOptions {
  readonly client: SkipringClient;
  /** Null: the cluster is somebody else's, and its processes are not looked at. */
  readonly cluster: LocalCluster | null;
  readonly dataDirectory: string;
  readonly minutes: number;
  readonly numWorkers: number;
  readonly epochs: number;
  readonly seed: number;
}

/** Disturbs one job after the other until the time is up, and compares each with an undisturbed one. */
export async function runChaos(
  context: CommandContext,
  options: ChaosOptions,
): Promise<Omit<ChaosReport, 'passed' | 'leaks'>> {
  const { client, cluster, minutes, numWorkers, seed } = options;
  const { interrupted, tell } = context;
  const startedMs = Date.now();
  await prepareDataSet(client, DATA_SET, interrupted);
  const spec = chaosSpec(options);
  tell('an undisturbed run first');
  const first = await followJob(context, client, await client.submit(spec), () => undefined);
  requireSuccess(first);
  const undisturbedSha256 = first.modelSha256 ?? '';

  const memory: [number, number][] = [];
  const sampler = setInterval(() => {
    const pid = cluster?.coordinatorPid;
    if (pid === undefined) return;
    void usageOf(pid).then((usage) => {
      if (usage !== null) memory.push([Date.now() / 60_000, usage.residentBytes / 1e6]);
    });
  }, SAMPLE_INTERVAL_MS);
  const struck: Struck[] = [];
  const runs: DisturbedRun[] = [];
  const endMs = Date.now() + minutes * 60_000;
  let number = 0;
  let beginOfCoordinator = 0;
  try {
    while (Date.now() < endMs) {
      const run = await disturbJob({
        client,
        spec,
        interrupted,
        next: () =>
          Date.now() < endMs
            ? disturbance({ seed, numWorkers, mayKillCoordinator: cluster !== null }, number++)
            : null,
        killCoordinator: () => {
          const pid = cluster?.coordinatorPid;
          if (pid !== undefined) process.kill(pid, 'SIGKILL');
          // Another process: its memory says nothing of the one before.
          beginOfCoordinator = memory.length;
        },
        onStruck: (one) => {
          struck.push(one);
          const { abortMs = null, recoverMs = null } = one.view ?? {};
          const text = recoverMs === null ? '' : `, on again after ${recoverMs} ms`;
          tell(`${one.kind}${abortMs === null ? '' : `: left after ${abortMs} ms`}${text}`);
        },
      });
      runs.push(run);
      const isSame = run.modelSha256 === undisturbedSha256;
      tell(`job ${run.jobId} ${run.state}: ${isSame ? 'the same model' : 'ANOTHER MODEL'}`);
    }
  } finally {
    clearInterval(sampler);
  }
  const views = struck.flatMap(({ view }) => view ?? []);
  const ofOne = memory.slice(beginOfCoordinator);
  return {
    seed,
    elapsedMs: Date.now() - startedMs,
    numWorkers,
    faults: countKinds(struck),
    undisturbedSha256,
    runs,
    hashesEqual: runs.every(({ modelSha256 }) => modelSha256 === undisturbedSha256),
    samplesExact: runs.every(({ isExact }) => isExact),
    numStepsRedone: runs.reduce((sum, { numRedone }) => sum + numRedone, 0),
    abortMs: spread(views.flatMap(({ abortMs }) => abortMs ?? [])),
    recoverMs: spread(views.flatMap(({ recoverMs }) => recoverMs ?? [])),
    memorySlopeMbPerMinute: slope(ofOne.slice(Math.floor(ofOne.length * WARM_UP))),
  };
}

/** Descriptors of the coordinator beyond those at first; to be asked while nothing is trained. */
export async function descriptorLeak(
  cluster: LocalCluster,
  numAtFirst: number,
): Promise<string | null> {
  const usage = await usageOf(cluster.coordinatorPid ?? 0);
  const numMore = (usage?.numDescriptors ?? 0) - numAtFirst;
  return numMore > SPARE_DESCRIPTORS ? `${numMore} descriptors of the coordinator` : null;
}

/** Temporary directories of checkpoints that no save removed. */
export async function checkpointLeaks(dataDirectory: string): Promise<string[]> {
  const root = join(dataDirectory, 'checkpoints');
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names.filter((name) => /(^|\/)(\.|tmp)[^/]*$/.test(name)).map((name) => `file ${name}`);
}

function chaosSpec({ epochs, numWorkers, minutes }: ChaosOptions): JobSpecInput {
  if (minutes <= 0) throw new CommandError(EXIT.usage, '--minutes: expected more than 0');
  return {
    apiVersion: API_VERSION,
    name: 'chaos',
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: DATA_SET.name, augmentation: { cropPadding: 2 } },
    training: { epochs, learningRate: 0.05, warmupSteps: 2 },
    lanes: { count: Math.max(5, numWorkers), size: 12 },
    workers: { min: 1, max: numWorkers },
    checkpoints: { everySteps: 10 },
    retries: { limit: 20, backoffMs: 200 },
  };
}
