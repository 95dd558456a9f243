import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import type { DataSetView } from '@skipring/protocol';
import type { Command } from 'commander';
import { parseCount } from '../commands/count.js';
import { prepareDataSet } from '../commands/data-sets.js';
import { examples } from '../commands/help.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { GENERATED } from '../demo/demo-data.js';
import { readEndpoint } from '../endpoint.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { aborted } from '../interruption.js';
import { LocalCluster } from '../launch/local-cluster.js';
import { table } from '../output/format.js';
import { systemReason } from '../system-reason.js';
import { runNetwork, type NetworkPlan } from './network-run.js';
import { pngOf } from './picture.js';
import {
  lastErrors,
  nameOf,
  residualHtml,
  residualSvg,
  type NetworkRun,
} from './residual-report.js';

const DEPTHS = [8, 14, 20, 32, 44, 56, 110] as const;

interface ExperimentFlags {
  readonly depths: string;
  readonly epochs: string;
  readonly dataSet: string;
  readonly workers: string;
  readonly to: string;
}

/** `experiment residual`: what shortcuts are for, trained and drawn. */
export function addExperimentCommand(program: Command, context: CommandContext): void {
  const experiment = program.command('experiment').description('train, compare and draw');
  experiment
    .command('residual')
    .description('train plain and residual networks and draw their errors and gradients')
    .option('--depths <list>', `layers of the networks, of ${DEPTHS.join(', ')}`, '20,56')
    .option('--epochs <count>', 'passes over the data', '3')
    .option('--data-set <name>', 'a registered data set; glyphs is made if need be', GENERATED.name)
    .option('--workers <count>', 'workers of the cluster that is started where none runs', '2')
    .option('--to <directory>', 'where the report goes', 'residual-report')
    .addHelpText(
      'after',
      examples(
        'skipring experiment residual',
        'skipring experiment residual --depths 20,56,110 --epochs 30 --data-set cifar10',
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await runExperiment(context, command.optsWithGlobals<CommonFlags & ExperimentFlags>());
    });
}

/** On the cluster that is named or runs here, else on one that ends with the experiment. */
async function runExperiment(
  context: CommandContext,
  flags: CommonFlags & ExperimentFlags,
): Promise<void> {
  const depths = parseDepths(flags.depths);
  const epochs = parseCount('--epochs', flags.epochs, 1, 10_000);
  const numWorkers = parseCount('--workers', flags.workers, 1, 64);
  const { environment, interrupted, forced } = context;
  const dataDirectory = context.dataDirectory(flags);
  const isNamed = flags.url !== undefined || environment.url !== null;
  if (isNamed || (await readEndpoint(dataDirectory)) !== null) {
    await compare(context, flags, await context.client(flags), depths, epochs);
    return;
  }
  const cluster = await LocalCluster.start({
    dataDirectory,
    port: 0,
    numWorkers,
    threads: 1,
    dataRoots: [],
    inherited: environment.inherited,
    interrupted,
    forced,
    onStatus: context.tell,
  });
  try {
    const client = new SkipringClient(cluster.endpoint);
    const failure = cluster.failed().then((reason) => {
      throw new CommandError(EXIT.unexpected, reason);
    });
    const interruption = aborted(interrupted).then(() => {
      throw new CommandError(EXIT.interrupted, 'interrupted; everything is stopped');
    });
    await Promise.race([compare(context, flags, client, depths, epochs), failure, interruption]);
  } finally {
    await cluster.stop();
  }
}

async function compare(
  context: CommandContext,
  flags: CommonFlags & ExperimentFlags,
  client: SkipringClient,
  depths: readonly NetworkPlan['depth'][],
  epochs: number,
): Promise<void> {
  const { name, manifest } = await dataSetOf(context, client, flags.dataSet);
  const numTrain = manifest?.splits.train.samples ?? 1;
  const runs: NetworkRun[] = [];
  for (const depth of depths) {
    for (const isResidual of [false, true]) {
      const plan = { depth, isResidual, epochs, dataSet: name, numTrain };
      runs.push(await runNetwork(context, client, plan));
    }
  }
  const files = await writeReport(flags.to, runs, name);
  context.show(flags, { files, runs }, () => `${describeRuns(runs)}\n\n${files.join('\n')}`);
}

async function dataSetOf(
  { tell, interrupted }: CommandContext,
  client: SkipringClient,
  name: string,
): Promise<DataSetView> {
  const known = (await client.dataSets()).find((view) => view.name === name);
  if (known?.state === 'ready') return known;
  if (name !== GENERATED.name) return client.dataSet(name);
  tell(`preparing data set ${name}`);
  return prepareDataSet(client, GENERATED, interrupted);
}

async function writeReport(
  directory: string,
  runs: readonly NetworkRun[],
  dataSet: string,
): Promise<string[]> {
  const svg = residualSvg(runs, dataSet);
  const contents = {
    'residual.png': await pngOf(svg),
    'residual.svg': svg,
    'residual.html': residualHtml(runs, dataSet),
  };
  try {
    await mkdir(directory, { recursive: true });
    const paths: string[] = [];
    for (const [name, content] of Object.entries(contents)) {
      paths.push(join(directory, name));
      await writeFile(join(directory, name), content);
    }
    return paths;
  } catch (cause) {
    throw new CommandError(EXIT.usage, `--to ${directory}: ${systemReason(cause)}`, null, {
      cause,
    });
  }
}

function describeRuns(runs: readonly NetworkRun[]): string {
  const rows = runs.map((run) => {
    const { train, test } = lastErrors(run);
    return [nameOf(run), train, test, run.jobId];
  });
  return table(['NETWORK', 'TRAIN ERROR', 'TEST ERROR', 'JOB'], rows);
}

function parseDepths(list: string): NetworkPlan['depth'][] {
  return list.split(',').map((entry) => {
    const depth = DEPTHS.find((known) => String(known) === entry.trim());
    if (depth !== undefined) return depth;
    throw new CommandError(
      EXIT.usage,
      `--depths ${list}: expected numbers of ${DEPTHS.join(', ')}, with commas between`,
    );
  });
}
