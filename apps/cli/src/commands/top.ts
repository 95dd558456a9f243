import type { Command } from 'commander';
import type { SkipringClient } from '@skipring/client';
import { attemptStates, MAX_LISTED, type JobSummary, type WorkerView } from '@skipring/protocol';
import { targetOf, type CommandContext, type CommonFlags } from '../context.js';
import { duration, percent, table } from '../output/format.js';
import { listWorkers } from './cluster.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

const NUM_QUEUED_SHOWN = 10;
/** Moves to the upper left corner and clears what is below, so that a frame is drawn over the last. */
const HOME = '\u001b[H\u001b[J';
/** The alternate screen, without a cursor: what was on the terminal before comes back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** `top`: what runs now, drawn again and again on a terminal, told once elsewhere. */
export function addTopCommand(program: Command, context: CommandContext): void {
  program
    .command('top')
    .description('watch jobs and workers; Ctrl-C ends it')
    .option('--interval <seconds>', 'time between two looks', '1')
    .addHelpText('after', examples('skipring top', 'skipring top -o json'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { interval: string }>();
      const intervalMs = parseCount('--interval', flags.interval, 1, 3_600) * 1_000;
      const client = await context.client(flags);
      const { isTerminal, stream } = targetOf(process.stdout, context.environment);
      if (!isTerminal || flags.output === 'json') {
        const now = await look(client);
        context.show(flags, now, () => draw(now));
        return;
      }
      stream.write(ENTER);
      try {
        while (!context.interrupted.aborted) {
          const text = draw(await look(client));
          const lines = text.split('\n').slice(0, process.stdout.rows - 1);
          const { columns } = process.stdout;
          stream.write(HOME + lines.map((line) => line.slice(0, columns)).join('\n'));
          await pause(intervalMs, context.interrupted);
        }
      } catch (error) {
        if (!context.interrupted.aborted) throw error;
      } finally {
        stream.write(LEAVE);
      }
    });
}

interface Look {
  readonly jobs: readonly JobSummary[];
  /** The newest of those that wait in the queue. */
  readonly queued: readonly JobSummary[];
  /** How many wait in the queue. */
  readonly numQueued: number;
  readonly workers: readonly WorkerView[];
}

async function look(client: SkipringClient): Promise<Look> {
  const [workers, queued, ...pages] = await Promise.all([
    client.workers(),
    client.jobSummaries({ state: 'pending', limit: NUM_QUEUED_SHOWN }),
    ...attemptStates.map((state) => client.jobSummaries({ state, limit: MAX_LISTED.summary })),
  ]);
  return {
    ...{ workers, queued: queued.items, numQueued: queued.total },
    jobs: pages.flatMap(({ items }) => items),
  };
}

function draw({ jobs, queued, numQueued, workers }: Look): string {
  const speed = jobs.reduce((sum, { progress }) => sum + progress.imagesPerSecond, 0);
  const busy = workers.filter(({ state }) => state === 'busy').length;
  const inQueue = numQueued === 0 ? '' : `, ${numQueued} queued`;
  return [
    `${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}${inQueue}, ${busy}/${workers.length} workers busy, ${Math.round(speed)} images/s`,
    '',
    table(
      ['JOB', 'NAME', 'STATE', 'STEP', 'DONE', 'ETA', 'IMAGES/S', 'LOSS', 'BEST', 'WORKERS'],
      [...jobs, ...queued].map(row),
    ),
    '',
    listWorkers(workers),
  ].join('\n');
}

function row({ id, name, state, progress, lastStep, bestAccuracy, workers }: JobSummary): string[] {
  const { step, totalSteps, etaMs, imagesPerSecond } = progress;
  return [
    ...[id, name, state, `${step}/${totalSteps}`],
    totalSteps === 0 ? '-' : percent(step / totalSteps),
    etaMs === null ? '-' : duration(etaMs),
    imagesPerSecond === 0 ? '-' : String(Math.round(imagesPerSecond)),
    lastStep?.loss.toFixed(4) ?? '-',
    bestAccuracy === null ? '-' : percent(bestAccuracy),
    String(workers.length),
  ];
}

/** Ends early, without an error, when the signal fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
