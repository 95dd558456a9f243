import type { Command } from 'commander';
import { SkipringClient } from '@skipring/client';
import { API_VERSION, type DataSetView, type JobSpecInput } from '@skipring/protocol';
import { parseCount } from '../commands/count.js';
import { prepareDataSet } from '../commands/data-sets.js';
import { examples } from '../commands/help.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { followJob, requireSuccess } from '../follow.js';
import { aborted } from '../interruption.js';
import { LocalCluster } from '../launch/local-cluster.js';
import { ProgressView } from '../output/progress.js';
import {
  dataFromFolder,
  GENERATED,
  preparedEarlier,
  type FolderRegistration,
} from './demo-data.js';
import { cancelDemoJobs, DEMO_JOBS } from './demo-jobs.js';
import { describeRun } from './report.js';
import { WorkingWorkers } from './working-workers.js';

/** For the job of an interrupted demo to be cancelled. */
const CANCEL_TIMEOUT_MS = 5_000;

interface DemoFlags {
  readonly data?: string;
  readonly workers: string;
  readonly epochs?: string;
}

interface DemoRun {
  readonly context: CommandContext;
  readonly flags: CommonFlags & DemoFlags;
  /** What `--data` names; null without it. */
  readonly given: FolderRegistration | null;
  readonly epochs: number | null;
  /** Of the monotonic clock. */
  readonly startedMs: number;
}

/** `demo`: a cluster, a job, its progress and a report, in one go. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('train ResNet-20 on two local workers and report')
    .option('--data <path>', 'folder with Fashion-MNIST in its original IDX files')
    .option('--workers <count>', 'number of workers', '2')
    .option('--epochs <count>', 'passes over the data')
    .addHelpText(
      'after',
      examples('skipring demo', 'skipring demo --data path/to/fashion-mnist --epochs 2'),
    )
    .action(async (_options: unknown, command: Command) => {
      await runDemo(context, command.optsWithGlobals<CommonFlags & DemoFlags>());
    });
}

async function runDemo(context: CommandContext, flags: CommonFlags & DemoFlags): Promise<void> {
  const { environment, interrupted, forced } = context;
  const startedMs = performance.now();
  const numWorkers = parseCount('--workers', flags.workers, 1, 64);
  const epochs = flags.epochs === undefined ? null : parseCount('--epochs', flags.epochs, 1, 1000);
  const given = flags.data === undefined ? null : await dataFromFolder(flags.data);
  const cluster = await LocalCluster.start({
    dataDirectory: context.dataDirectory(flags),
    port: 0,
    numWorkers,
    threads: 1,
    dataRoots: given === null ? [] : [given.path],
    inherited: environment.inherited,
    interrupted,
    forced,
    onStatus: context.tell,
  });
  try {
    const failure = cluster.failed().then((reason) => {
      throw new CommandError(EXIT.unexpected, reason);
    });
    const interruption = aborted(interrupted).then(() => {
      context.tell('stopping in order; Ctrl-C again: at once');
      throw new CommandError(EXIT.interrupted, 'interrupted; everything is stopped');
    });
    const run = { context, flags, given, epochs, startedMs };
    await Promise.race([interruption, train(run, cluster), failure]);
  } finally {
    if (interrupted.aborted) await abandon(cluster, forced);
    await cluster.stop();
  }
}

/** Best effort: what is not cancelled now is cancelled by the next demo. */
async function abandon({ endpoint }: LocalCluster, forced: AbortSignal): Promise<void> {
  const options = { ...endpoint, timeoutMs: CANCEL_TIMEOUT_MS, retries: 0, signal: forced };
  await cancelDemoJobs(new SkipringClient(options)).catch(() => undefined);
}

async function train(run: DemoRun, cluster: LocalCluster): Promise<void> {
  const { context, flags, startedMs } = run;
  const client = new SkipringClient(cluster.endpoint);
  await cancelDemoJobs(client);
  const dataSet = await prepare(run, client);
  const job = await client.submit(demoSpec(dataSet.name, run.epochs));
  context.tell(`job ${job.id} on data set ${dataSet.name}`);
  const view = ProgressView.of(context.progress, job);
  const working = new WorkingWorkers(client);
  const ended = await followJob(context, client, job, (event) => {
    view.show(event);
    if (event.type === 'step') working.look();
  }).finally(() => {
    view.close();
  });
  requireSuccess(ended);
  const [workers, checkpoints] = await Promise.all([working.last(), client.checkpoints(job.id)]);
  const evaluation = ended.lastEvaluation;
  if (evaluation === null) {
    throw new CommandError(EXIT.unexpected, 'the job reported no evaluation');
  }
  context.show(flags, ended, () =>
    describeRun({
      job: ended,
      evaluation,
      classes: dataSet.manifest?.classes ?? [],
      workers,
      checkpoints,
      elapsedMs: performance.now() - startedMs,
      style: context.style,
    }),
  );
  if (flags.output === 'text') context.print(`\n${nextSteps(job.id, flags.dataDir)}`);
}

/** The folder that was given, else Fashion-MNIST from an earlier time, else the generated set. */
async function prepare({ context, given }: DemoRun, client: SkipringClient): Promise<DataSetView> {
  const prepared = given === null ? await preparedEarlier(client) : null;
  if (prepared !== null) return client.dataSet(prepared);
  const registration = given ?? GENERATED;
  context.tell(`preparing data set ${registration.name}`);
  return prepareDataSet(client, registration, context.interrupted);
}

/** The cluster ends with the demo: the model is fetched from one that is started on its data. */
function nextSteps(jobId: string, dataDir: string | undefined): string {
  const where = dataDir === undefined ? '' : ` --data-dir ${dataDir}`;
  return [
    `next: npx skipring up${where}   (in one terminal: a cluster that goes on)`,
    `      npx skipring model get ${jobId}${where}   (in another: fetch the model)`,
  ].join('\n');
}

/** Sized so that the run ends within five minutes on two cores. */
function demoSpec(dataSet: string, epochs: number | null): JobSpecInput {
  const isGenerated = dataSet === GENERATED.name;
  return {
    apiVersion: API_VERSION,
    name: isGenerated ? DEMO_JOBS.generated : DEMO_JOBS.given,
    model: { family: 'resnet-cifar', depth: 20 },
    data: { dataSet, augmentation: { cropPadding: 2, flip: !isGenerated } },
    training: { epochs: epochs ?? (isGenerated ? 5 : 1), learningRate: 0.1, warmupSteps: 20 },
    lanes: { count: 4, size: 64 },
  };
}
