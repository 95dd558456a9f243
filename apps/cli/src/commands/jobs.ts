import type { Command } from 'commander';
import { jobStates, type JobState, type JobView } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { followJob, requireSuccess } from '../follow.js';
import { applySettings, checkSpec, readJobFile } from '../job-file.js';
import { duration, percent, table } from '../output/format.js';
import { ProgressView } from '../output/progress.js';

/** `submit`, `status`, `list`, `logs`, `cancel`, `resume`. */
export function addJobCommands(program: Command, context: CommandContext): void {
  program
    .command('submit')
    .description('submit a training job')
    .argument('[file]', 'job file, YAML or JSON; - reads standard input')
    .option('--set <key=value...>', 'set a field of the spec, such as training.epochs=3')
    .option('-f, --follow', 'show progress until the job has ended')
    .addHelpText(
      'after',
      '\nExamples:\n  skipring submit job.yaml --follow\n  skipring submit job.yaml --set training.epochs=3 lanes.count=4',
    )
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { set?: string[]; follow?: boolean }>();
      if (file === undefined && flags.set === undefined) {
        throw new CommandError(EXIT.usage, 'expected a job file, --set, or both');
      }
      const fields = applySettings(
        file === undefined ? {} : await readJobFile(file),
        flags.set ?? [],
      );
      const client = await context.client(flags);
      const job = await client.submit(checkSpec(fields));
      if (flags.follow !== true) {
        context.show(flags, job, () => `${job.id}\nnext: skipring logs -f ${job.id}`);
        return;
      }
      const ended = await followJob(context, client, job);
      context.show(flags, ended, () => describeJob(ended));
      requireSuccess(ended);
    });

  program
    .command('status')
    .description('show one job')
    .argument('<job>', 'job id')
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const job = await (await context.client(flags)).job(id);
      context.show(flags, job, () => describeJob(job));
    });

  program
    .command('list')
    .description('list jobs, newest first')
    .option('--state <state>', `one of ${jobStates.join(', ')}`)
    .option('--limit <count>', 'at most this many', '20')
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { state?: string; limit: string }>();
      const state = flags.state === undefined ? {} : { state: parseState(flags.state) };
      const page = await (
        await context.client(flags)
      ).jobs({ ...state, limit: parseLimit(flags.limit) });
      context.show(flags, page.items, () => listJobs(page.items));
    });

  program
    .command('logs')
    .description("show a job's events")
    .argument('<job>', 'job id')
    .option('-f, --follow', 'go on until the job has ended')
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { follow?: boolean }>();
      await showLog(context, flags, id);
    });

  for (const [name, description] of [
    ['cancel', 'stop a job; its last step is kept in a checkpoint'],
    ['resume', 'go on with a cancelled or failed job from its last checkpoint'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .argument('<job>', 'job id')
      .action(async (id: string, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<CommonFlags>();
        const client = await context.client(flags);
        const job = name === 'cancel' ? await client.cancel(id) : await client.resume(id);
        context.show(flags, job, () => `${job.id} ${job.state}`);
      });
  }
}

async function showLog(
  context: CommandContext,
  flags: CommonFlags & { follow?: boolean },
  id: string,
): Promise<void> {
  const client = await context.client(flags);
  const job = await client.job(id);
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  context.interrupted.addEventListener('abort', stop);
  // Without --follow, the events that are stored by now are shown: the stream is left when it pauses.
  const idle = flags.follow === true ? null : setTimeout(stop, 1_000);
  const view = ProgressView.of({ ...context.progress, stream: process.stdout }, job);
  for await (const event of client.follow(id, { signal: end.signal })) {
    idle?.refresh();
    if (flags.output === 'json') context.print(JSON.stringify(event));
    else view.show(event);
  }
  if (idle !== null) clearTimeout(idle);
  view.close();
}

/** A job in words. */
export function describeJob(job: JobView): string {
  const { progress } = job;
  const rows = [
    ['job', `${job.id} (${job.name})`],
    ['state', `${job.state}${job.reason === '' ? '' : ` - ${job.reason}`}`],
    ['attempt', `${job.attempt}, generation ${job.generation}`],
    ['workers', job.workers.join(', ') || '-'],
    [
      'progress',
      `step ${progress.step}/${progress.totalSteps}, epoch ${progress.epoch}/${progress.totalEpochs}`,
    ],
    ['speed', `${Math.round(progress.imagesPerSecond)} images/s`],
    ['eta', progress.etaMs === null ? '-' : duration(progress.etaMs)],
    ['loss', job.lastStep === null ? '-' : job.lastStep.loss.toFixed(4)],
    ['test accuracy', job.lastEvaluation === null ? '-' : percent(job.lastEvaluation.accuracy)],
    ['model SHA-256', job.modelSha256 ?? '-'],
  ];
  return rows.map(([name, value]) => `${(name ?? '').padEnd(14)}${value ?? ''}`).join('\n');
}

function listJobs(jobs: readonly JobView[]): string {
  if (jobs.length === 0) return 'no jobs; submit one with: skipring submit FILE';
  return table(
    ['ID', 'NAME', 'STATE', 'STEP', 'ACCURACY', 'REASON'],
    jobs.map((job) => [
      job.id,
      job.name,
      job.state,
      `${job.progress.step}/${job.progress.totalSteps}`,
      job.bestAccuracy === null ? '-' : percent(job.bestAccuracy),
      job.reason,
    ]),
  );
}

function parseState(text: string): JobState {
  const state = jobStates.find((candidate) => candidate === text);
  if (state !== undefined) return state;
  throw new CommandError(EXIT.usage, `--state ${text}: expected one of ${jobStates.join(', ')}`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit;
  throw new CommandError(EXIT.usage, `--limit ${text}: expected a whole number from 1 to 200`);
}
