import { availableParallelism } from 'node:os';
import { delimiter, resolve } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_PORT } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { aborted } from '../interruption.js';
import { LocalCluster } from '../launch/local-cluster.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

/** `up`: a coordinator, Redis and workers on this machine, until interrupted. */
export function addUpCommand(program: Command, context: CommandContext): void {
  program
    .command('up')
    .description('run a coordinator and workers on this machine')
    .option('--workers <count>', 'number of workers', String(Math.min(2, availableParallelism())))
    .option('--threads <count>', 'intra-op threads of each worker', '1')
    .option('--port <port>', 'port of the coordinator; 0: any free one', String(DEFAULT_PORT))
    .option('--data-root <path...>', 'directories from which data sets may be registered', ['.'])
    .option('--faults', 'take faults on purpose, for tests of this cluster')
    .addHelpText(
      'after',
      examples('skipring up --workers 2', 'skipring up --port 0 --data-root ~/data /mnt/images'),
    )
    .action(async (_options: unknown, command: Command) => {
      await up(context, command.optsWithGlobals<CommonFlags & UpFlags>());
    });
}

interface UpFlags {
  readonly workers: string;
  readonly threads: string;
  readonly port: string;
  readonly dataRoot: string[];
  readonly faults?: boolean;
}

/** An interruption is how it is meant to end: what ends in order ends well. */
async function up(context: CommandContext, flags: CommonFlags & UpFlags): Promise<void> {
  const { environment, interrupted, forced } = context;
  const cluster = await LocalCluster.start({
    dataDirectory: context.dataDirectory(flags),
    port: parseCount('--port', flags.port, 0, 65_535),
    numWorkers: parseCount('--workers', flags.workers, 0, 64),
    threads: parseCount('--threads', flags.threads, 1, 256),
    dataRoots: flags.dataRoot
      .flatMap((paths) => paths.split(delimiter))
      .map((path) => resolve(path)),
    inherited: {
      ...environment.inherited,
      ...(flags.faults === true ? { SKIPRING_FAULTS: '1' } : {}),
    },
    interrupted,
    forced,
    onStatus: context.tell,
  });
  try {
    const { endpoint, logDirectory } = cluster;
    context.show(flags, { url: endpoint.url, logs: logDirectory }, () =>
      [
        `Skipring is up at ${context.style('bold', endpoint.url)}`,
        `logs: ${logDirectory}`,
        'next: skipring submit FILE --follow   (in another terminal; Ctrl-C here stops all)',
      ].join('\n'),
    );
    const failure = await Promise.race([cluster.failed(), aborted(interrupted)]);
    if (failure !== null) throw new CommandError(EXIT.unexpected, failure);
    context.tell('stopping in order; Ctrl-C again: at once');
  } finally {
    await cluster.stop();
  }
  if (forced.aborted) throw new CommandError(EXIT.interrupted, 'stopped by force');
}
