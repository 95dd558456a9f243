import type { Command } from 'commander';
import type { WorkerView } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { examples } from './help.js';
import { table } from '../output/format.js';

/** `workers` and `drain`. */
export function addClusterCommands(program: Command, context: CommandContext): void {
  program
    .command('workers')
    .description('list connected workers')
    .addHelpText('after', examples('skipring workers'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const workers = await (await context.client(flags)).workers();
      context.show(flags, workers, () => listWorkers(workers));
    });

  program
    .command('drain')
    .description('let a worker finish its step and leave')
    .argument('<worker>', 'worker id')
    .addHelpText('after', examples('skipring drain local-2'))
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const worker = await (await context.client(flags)).drain(id);
      context.show(flags, worker, () => `${worker.id} ${worker.state}`);
    });
}

/** A line for each worker. */
export function listWorkers(workers: readonly WorkerView[]): string {
  if (workers.length === 0) return 'no workers are connected';
  return table(
    ['ID', 'HOST', 'STATE', 'DEVICE', 'THREADS', 'JOB', 'RANK', 'LANES', 'IMAGES/S', 'SLOW'],
    workers.map((worker) => [
      worker.id,
      worker.host,
      worker.state,
      worker.device.kind,
      String(worker.threads),
      worker.jobId ?? '-',
      worker.rank === null ? '-' : String(worker.rank),
      worker.lanes.join(',') || '-',
      // Of a worker that trains nothing, the speed is that of a job before.
      worker.rank === null ? '-' : String(Math.round(worker.imagesPerSecond)),
      worker.slow === null ? '-' : `${worker.slow.part} ${worker.slow.ratio.toFixed(1)}x`,
    ]),
  );
}
