import { availableParallelism } from 'node:os';
import { delimiter, resolve } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_PORT } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { LocalCluster } from '../launch/local-cluster.js';

/** `up`: a coordinator, Redis and workers on this machine, until interrupted. */
export function addUpCommand(program: Command, context: CommandContext): void {
  program
    .command('up')
    .description('run a coordinator and workers on this machine')
    .option('--workers <count>', 'number of workers', String(Math.min(2, availableParallelism())))
    .option('--threads <count>', 'intra-op threads of each worker', '1')
    .option('--port <port>', 'port of the coordinator; 0: any free one', String(DEFAULT_PORT))
    .option('--data-dir <path>', 'where jobs, data sets and checkpoints are kept')
    .option('--data-root <path...>', 'directories from which data sets may be registered', ['.'])
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & UpFlags>();
      const cluster = await LocalCluster.start({
        dataDirectory: resolve(flags.dataDir ?? context.environment.dataDirectory),
        port: parseCount('--port', flags.port, 0, 65_535),
        numWorkers: parseCount('--workers', flags.workers, 0, 64),
        threads: parseCount('--threads', flags.threads, 1, 256),
        dataRoots: flags.dataRoot
          .flatMap((paths) => paths.split(delimiter))
          .map((path) => resolve(path)),
        inherited: context.environment.inherited,
        interrupted: context.interrupted,
        onStatus: (text) => process.stderr.write(`${context.style('dim', text)}\n`),
      });
      try {
        context.show(flags, { url: cluster.endpoint.url, logs: cluster.logDirectory }, () =>
          [
            `Skipring is up at ${context.style('bold', cluster.endpoint.url)}`,
            `logs: ${cluster.logDirectory}`,
            'next: skipring submit FILE --follow   (in another terminal; Ctrl-C here stops all)',
          ].join('\n'),
        );
        const failure = await Promise.race([cluster.failed(), aborted(context.interrupted)]);
        if (failure !== null) throw new CommandError(EXIT.unexpected, failure);
      } finally {
        await cluster.stop();
      }
    });
}

interface UpFlags {
  readonly workers: string;
  readonly threads: string;
  readonly port: string;
  readonly dataDir?: string;
  readonly dataRoot: string[];
}

/** Resolves with null when the signal fires. */
export function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((done) => {
    if (signal.aborted) done(null);
    signal.addEventListener('abort', () => {
      done(null);
    });
  });
}

export function parseCount(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CommandError(
    EXIT.usage,
    `${flag} ${text}: expected a whole number from ${min} to ${max}`,
  );
}
