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
import { disturbance, killingKinds, livingMs, type ChaosKind } from './plan.js';
import { ProcessLives } from './process-lives.js';
import { countKinds, type ChaosReport, type DisturbedRun, type Struck } from './report.js';
import { spread } from './spread.js';

/** Sizes that no batch divides: short last steps, empty lanes. */
const DATA_SET = {
  name: 'chaos-glyphs',
  format: 'glyphs',
  trainSamples: 383,
  testSamples: 89,
} as const;

export interface ChaosOptions {
  readonly client: SkipringClient;
  /** Null: the cluster is somebody else's, and its processes are not looked at. */
  readonly cluster: LocalCluster | null;
  readonly dataDirectory: string;
  readonly minutes: number;
  readonly numWorkers: number;
  readonly epochs: number;
  readonly seed: number;
  /** Kinds of faults that are left out. */
  readonly without: readonly ChaosKind[];
}

/** Disturbs one job after the other until the time is up, and compares each with an undisturbed one. */
export async function runChaos(
  context: CommandContext,
  options: ChaosOptions,
): Promise<Omit<ChaosReport, 'passed' | 'leaks'>> {
  const { client, cluster, minutes, numWorkers, seed, without } = options;
  const withoutKills = [...without, ...killingKinds];
  const { interrupted, tell } = context;
  const startedMs = Date.now();
  await prepareDataSet(client, DATA_SET, interrupted);
  const spec = chaosSpec(options);
  tell('an undisturbed run first');
  const first = await followJob(context, client, await client.submit(spec), () => undefined);
  requireSuccess(first);
  const undisturbedSha256 = first.modelSha256 ?? '';

  const lives = new ProcessLives(() => cluster?.processes ?? []);
  lives.start();
  const struck: Struck[] = [];
  const runs: DisturbedRun[] = [];
  const endMs = Date.now() + minutes * 60_000;
  let number = 0;
  try {
    while (Date.now() < endMs) {
      const run = await disturbJob({
        client,
        spec,
        interrupted,
        next: () => {
          const nowMs = Date.now();
          if (nowMs >= endMs) return null;
          const isLiving = nowMs >= endMs - livingMs(minutes * 60_000);
          const plan = { seed, numWorkers, without: isLiving ? withoutKills : without };
          return disturbance(plan, number++);
        },
        killCoordinator: () => {
          const pid = cluster?.coordinatorPid;
          if (pid !== undefined) process.kill(pid, 'SIGKILL');
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
    lives.stop();
  }
  const views = struck.flatMap(({ view }) => view ?? []);
  return {
    seed,
    elapsedMs: Date.now() - startedMs,
    numWorkers,
    without,
    faults: countKinds(struck),
    undisturbedSha256,
    runs,
    hashesEqual: runs.every(({ modelSha256 }) => modelSha256 === undisturbedSha256),
    samplesExact: runs.every(({ isExact }) => isExact),
    numStepsRedone: runs.reduce((sum, { numRedone }) => sum + numRedone, 0),
    abortMs: spread(views.flatMap(({ abortMs }) => abortMs ?? [])),
    recoverMs: spread(views.flatMap(({ recoverMs }) => recoverMs ?? [])),
    processes: cluster === null ? [] : lives.report(),
  };
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
