import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SkipringClient } from '@skipring/client';
import {
  API_VERSION,
  type DataSetRegistrationInput,
  type DataSetView,
  type JobSpecInput,
} from '@skipring/protocol';
import { prepareDataSet } from '../commands/data-sets.js';
import { aborted, parseCount } from '../commands/up.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { followJob, requireSuccess } from '../follow.js';
import { LocalCluster } from '../launch/local-cluster.js';
import { describeRun } from './report.js';

interface DemoFlags {
  readonly data?: string;
  readonly workers: string;
  readonly epochs?: string;
  readonly dataDir?: string;
}

/** Name of the data set that the demo uses when no folder is given. */
const GENERATED = 'glyphs';
const PREPARED = 'fashion-mnist';

/** `demo`: a cluster, a job, its progress and a report, in one go. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('train ResNet-20 on two local workers and report')
    .option('--data <path>', 'folder with Fashion-MNIST in its original IDX files')
    .option('--workers <count>', 'number of workers', '2')
    .option('--epochs <count>', 'passes over the data')
    .option('--data-dir <path>', 'where jobs, data sets and checkpoints are kept')
    .action(async (_options: unknown, command: Command) => {
      await runDemo(context, command.optsWithGlobals<CommonFlags & DemoFlags>());
    });
}

async function runDemo(context: CommandContext, flags: CommonFlags & DemoFlags): Promise<void> {
  const numWorkers = parseCount('--workers', flags.workers, 1, 64);
  const epochs = flags.epochs === undefined ? null : parseCount('--epochs', flags.epochs, 1, 1000);
  if (flags.data !== undefined) await requireFolder(flags.data);
  const startedAt = Date.now();
  const cluster = await LocalCluster.start({
    dataDirectory: resolve(flags.dataDir ?? context.environment.dataDirectory),
    port: 0,
    numWorkers,
    threads: 1,
    dataRoots: flags.data === undefined ? [] : [resolve(flags.data)],
    inherited: context.environment.inherited,
    interrupted: context.interrupted,
    onStatus: (text) => process.stderr.write(`${context.style('dim', text)}\n`),
  });
  try {
    const failure = cluster.failed().then((reason) => {
      throw new CommandError(EXIT.unexpected, reason);
    });
    const interruption = aborted(context.interrupted).then(() => {
      throw new CommandError(EXIT.interrupted, 'interrupted; everything is stopped');
    });
    await Promise.race([train(context, flags, cluster, epochs, startedAt), failure, interruption]);
  } finally {
    await cluster.stop();
  }
}

async function train(
  context: CommandContext,
  flags: CommonFlags & DemoFlags,
  cluster: LocalCluster,
  epochs: number | null,
  startedAt: number,
): Promise<void> {
  const client = new SkipringClient(cluster.endpoint);
  const dataSet = await chooseData(client, flags.data, context.interrupted);
  const job = await client.submit(demoSpec(dataSet.name, epochs, dataSet.name === GENERATED));
  process.stderr.write(`job ${job.id} on data set ${dataSet.name}\n`);
  const ended = await followJob(context, client, job);
  requireSuccess(ended);
  const workers = await client.workers();
  const checkpoint = (await client.checkpoints(job.id)).at(-1);
  const evaluation = ended.lastEvaluation;
  if (evaluation === null)
    throw new CommandError(EXIT.unexpected, 'the job reported no evaluation');
  context.show(flags, ended, () =>
    describeRun({
      job: ended,
      evaluation,
      classes: dataSet.manifest?.classes ?? [],
      workers,
      elapsedMs: Date.now() - startedAt,
      checkpointPath: checkpoint?.path ?? '-',
      style: context.style,
    }),
  );
  if (flags.output === 'text') {
    context.print(`\nnext: npx skipring up                    (keeps a cluster running)`);
    context.print(`      npx skipring model ${job.id}   (in another terminal)`);
  }
}

/** The folder that was given, else a data set prepared earlier, else the generated one. */
async function chooseData(
  client: SkipringClient,
  path: string | undefined,
  interrupted: AbortSignal,
): Promise<DataSetView> {
  const views = await client.dataSets();
  const prepared = views.find(({ name, state }) => name === PREPARED && state === 'ready');
  if (prepared !== undefined) return prepared;
  const registration: DataSetRegistrationInput =
    path === undefined
      ? { name: GENERATED, format: 'glyphs' }
      : { name: PREPARED, format: 'idx', path: resolve(path) };
  return prepareDataSet(client, registration, interrupted);
}

async function requireFolder(path: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    throw new CommandError(EXIT.usage, `--data ${path}: no such folder`, null, { cause });
  }
}

/** Sized so that the run ends within five minutes on two cores. */
function demoSpec(dataSet: string, epochs: number | null, generated: boolean): JobSpecInput {
  return {
    apiVersion: API_VERSION,
    name: `demo-${dataSet}`,
    model: { family: 'resnet-cifar', depth: 20 },
    data: { dataSet, augmentation: { cropPadding: 2, flip: !generated } },
    training: { epochs: epochs ?? (generated ? 5 : 1), learningRate: 0.1, warmupSteps: 20 },
    lanes: { count: 4, size: 64 },
  };
}
