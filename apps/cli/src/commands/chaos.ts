import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import type { Command } from 'commander';
import { chaosKinds, killingKinds, type ChaosKind } from '../chaos/plan.js';
import { growthLeaks } from '../chaos/process-lives.js';
import { checkpointLeaks, runChaos } from '../chaos/run-chaos.js';
import { usageOf } from '../chaos/process-usage.js';
import { describeReport, type ChaosReport } from '../chaos/report.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { LocalCluster } from '../launch/local-cluster.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

/** Loaded into the processes of the cluster, so that their memory is what they use. */
const collectGarbage = new URL('../chaos/collect-garbage.js', import.meta.url);

/** `chaos`: random faults while a job trains, and whether its model is the same in the end. */
export function addChaosCommand(program: Command, context: CommandContext): void {
  program
    .command('chaos')
    .description('disturb jobs at random and compare their models with that of an undisturbed run')
    .option('--minutes <count>', 'how long', '5')
    .option('--workers <count>', 'workers of the cluster that is started', '3')
    .option('--seed <number>', 'what happens is a function of it', '1')
    .option('--epochs <count>', 'passes over the data of each job, 7 steps each', '40')
    .option('--without <kinds>', `leave these out, of ${chaosKinds.join(', ')}`)
    .addHelpText(
      'after',
      examples(
        'skipring chaos --minutes 30 --workers 4',
        'skipring chaos --without kill,killCoordinator',
        'skipring chaos --url http://host:7400',
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await chaos(context, command.optsWithGlobals<CommonFlags & ChaosFlags>());
    });
}

interface ChaosFlags {
  readonly minutes: string;
  readonly workers: string;
  readonly seed: string;
  readonly epochs: string;
  readonly without?: string;
}

async function chaos(context: CommandContext, flags: CommonFlags & ChaosFlags): Promise<void> {
  const sizes = {
    minutes: parseCount('--minutes', flags.minutes, 1, 10_000),
    numWorkers: parseCount('--workers', flags.workers, 1, 64),
    seed: parseCount('--seed', flags.seed, 0, 4_294_967_295),
    epochs: parseCount('--epochs', flags.epochs, 1, 10_000),
    without: parseKinds(flags.without),
  };
  const report =
    flags.url === undefined
      ? await onOwnCluster(context, sizes)
      : await onThatCluster(await context.client(flags), context, sizes);
  context.show(flags, report, () => describeReport(report));
  if (!report.passed) throw new CommandError(EXIT.chaosFailed, 'the cluster did not stand it');
}

/** Throws CommandError `usage` for an unknown kind, and when nothing is left that processes survive. */
export function parseKinds(text: string | undefined): ChaosKind[] {
  const names = text?.split(',').filter((name) => name !== '') ?? [];
  const kinds = chaosKinds.filter((kind) => names.includes(kind));
  const unknown = names.find((name) => !chaosKinds.some((kind) => kind === name));
  if (unknown !== undefined) {
    const expected = `expected some of ${chaosKinds.join(', ')}`;
    throw new CommandError(EXIT.usage, `--without: ${JSON.stringify(unknown)}; ${expected}`);
  }
  const needed = chaosKinds.filter((kind) => !killingKinds.includes(kind));
  if (needed.every((kind) => kinds.includes(kind))) {
    const expected = `expected one of ${needed.join(', ')} to be left`;
    throw new CommandError(EXIT.usage, `--without: ${JSON.stringify(text)}; ${expected}`);
  }
  return kinds;
}

type Sizes = Omit<Parameters<typeof runChaos>[1], 'client' | 'cluster' | 'dataDirectory'>;

async function onThatCluster(
  client: SkipringClient,
  context: CommandContext,
  sizes: Sizes,
): Promise<ChaosReport> {
  // Nobody may start that coordinator again.
  const without = [...new Set([...sizes.without, 'killCoordinator' as const])];
  const own = { client, cluster: null, dataDirectory: '', without };
  const found = await runChaos(context, { ...sizes, ...own });
  return { ...found, leaks: [], passed: holds(found) };
}

/** In a temporary directory, so that no data of other clusters is touched. */
async function onOwnCluster(context: CommandContext, sizes: Sizes): Promise<ChaosReport> {
  const { environment, interrupted, forced } = context;
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-chaos-'));
  const leaks: string[] = [];
  let found: Awaited<ReturnType<typeof runChaos>>;
  let pids: number[] = [];
  try {
    const cluster = await LocalCluster.start({
      dataDirectory,
      port: 0,
      numWorkers: sizes.numWorkers,
      threads: 1,
      dataRoots: [],
      inherited: { ...environment.inherited, SKIPRING_FAULTS: '1' },
      interrupted,
      forced,
      onStatus: context.tell,
      isSupervised: true,
      preload: collectGarbage,
    });
    try {
      const client = new SkipringClient({ ...cluster.endpoint, signal: interrupted });
      found = await runChaos(context, { ...sizes, client, cluster, dataDirectory });
      leaks.push(...growthLeaks(found.processes));
    } finally {
      pids = cluster.startedPids;
      await cluster.stop();
    }
    for (const pid of pids) if ((await usageOf(pid)) !== null) leaks.push(`process ${pid}`);
    leaks.push(...(await checkpointLeaks(dataDirectory)));
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
  return { ...found, leaks, passed: holds(found) && leaks.length === 0 };
}

function holds({
  runs,
  hashesEqual,
  samplesExact,
}: Omit<ChaosReport, 'passed' | 'leaks'>): boolean {
  return hashesEqual && samplesExact && runs.every(({ state }) => state === 'succeeded');
}
