import type { Command } from 'commander';
import type { SkipringClient } from '@skipring/client';
import { jobStates, MAX_LISTED, type JobState, type JobSummary } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { confirm } from '../confirm.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { followJob, requireSuccess } from '../follow.js';
import { applySettings, checkSpec, readJobFile } from '../job-file.js';
import { withTopology } from '../topology-file.js';
import { describeJob, listJobs } from '../output/describe-job.js';
import { ProgressView } from '../output/progress.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

const MAX_LIMIT = 100_000;

/** `submit`, `status`, `list`, `cancel`, `pause`, `resume`, `delete`. */
export function addJobCommands(program: Command, context: CommandContext): void {
  program
    .command('submit')
    .description('submit a training job')
    .argument('[file]', 'job file, YAML or JSON; - reads standard input')
    .option('--set <key=value...>', 'set a field of the spec, such as training.epochs=3')
    .option('-f, --follow', 'show progress until the job has ended')
    .addHelpText(
      'after',
      examples(
        'skipring submit job.yaml --follow',
        'skipring submit job.yaml --set training.epochs=3 lanes.count=4',
      ),
    )
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      await submit(context, file, command.optsWithGlobals<SubmitFlags>());
    });

  program
    .command('status')
    .description('show one job')
    .argument('<job>', 'job id')
    .addHelpText('after', examples('skipring status JOB'))
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
    .option('--all', 'every one')
    .addHelpText('after', examples('skipring list --state running', 'skipring list --all -o json'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & ListFlags>();
      const state = flags.state === undefined ? {} : { state: parseState(flags.state) };
      const limit = parseCount('--limit', flags.limit, 1, MAX_LIMIT);
      const client = await context.client(flags);
      const { jobs, total } = await newestJobs(client, state, flags.all === true ? null : limit);
      context.show(flags, jobs, () => listJobs(jobs));
      if (jobs.length < total)
        context.tell(`${jobs.length} of ${total} jobs; --all lists the rest`);
    });

  for (const [name, description] of [
    ['cancel', 'stop a job; its last step is kept in a checkpoint'],
    ['pause', 'free the workers of a job; it goes on with resume'],
    ['resume', 'go on with a paused, cancelled or failed job from its last checkpoint'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .argument('<job>', 'job id')
      .addHelpText('after', examples(`skipring ${name} JOB`))
      .action(async (id: string, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<CommonFlags>();
        const client = await context.client(flags);
        const job = await client[name](id);
        context.show(flags, job, () => `${job.id} ${job.state}`);
      });
  }
  addDelete(program, context);
}

interface ListFlags {
  readonly state?: string;
  readonly limit: string;
  readonly all?: boolean;
}

function addDelete(program: Command, context: CommandContext): void {
  program
    .command('delete')
    .description('delete jobs that have ended, with their histories, checkpoints and models')
    .argument('<jobs...>', 'job ids')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples('skipring delete JOB', 'skipring delete JOB OTHER --yes'))
    .action(async (ids: string[], _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { yes?: boolean }>();
      const client = await context.client(flags);
      const what = `delete ${ids.join(', ')} with models and checkpoints for good?`;
      await confirm(what, flags, context.interrupted);
      const deleted: { id: string; deleted: true }[] = [];
      try {
        for (const id of ids) {
          await client.deleteJob(id);
          deleted.push({ id, deleted: true });
        }
      } finally {
        if (deleted.length > 0) {
          context.show(flags, deleted, () =>
            deleted.map(({ id }) => `${id} is deleted`).join('\n'),
          );
        }
      }
    });
}

/** Page by page; every one without a limit. */
async function newestJobs(
  client: SkipringClient,
  state: { state?: JobState },
  limit: number | null,
): Promise<{ jobs: JobSummary[]; total: number }> {
  const jobs: JobSummary[] = [];
  let next: { cursor?: string } | null = {};
  let total = 0;
  while (next !== null && jobs.length < (limit ?? Infinity)) {
    const size = Math.min(MAX_LISTED.summary, (limit ?? Infinity) - jobs.length);
    const page = await client.jobSummaries({ ...state, ...next, limit: size });
    for (const job of page.items) jobs.push(job);
    ({ total } = page);
    next = page.nextCursor === null ? null : { cursor: page.nextCursor };
  }
  return { jobs, total };
}

type SubmitFlags = CommonFlags & { readonly set?: string[]; readonly follow?: boolean };

async function submit(
  context: CommandContext,
  file: string | undefined,
  flags: SubmitFlags,
): Promise<void> {
  if (file === undefined && flags.set === undefined) {
    throw new CommandError(
      EXIT.usage,
      'expected a job file, --set, or both',
      'skipring submit --help',
    );
  }
  const given = file === undefined ? null : await readJobFile(file);
  const written = applySettings(given?.fields ?? {}, flags.set ?? []);
  const fields = await withTopology(written, file);
  const spec = checkSpec(fields, given?.place);
  const client = await context.client(flags);
  const job = await client.submit(spec);
  if (flags.follow !== true) {
    context.show(flags, job, () => `${job.id}\nnext: skipring logs -f ${job.id}`);
    return;
  }
  context.tell(`job ${job.id}`);
  const view = ProgressView.of(context.progress, job);
  const ended = await followJob(context, client, job, (event) => {
    view.show(event);
  }).finally(() => {
    view.close();
  });
  context.show(flags, ended, () => describeJob(ended));
  requireSuccess(ended);
}

function parseState(text: string): JobState {
  const state = jobStates.find((candidate) => candidate === text);
  if (state !== undefined) return state;
  throw new CommandError(EXIT.usage, `--state ${text}: expected one of ${jobStates.join(', ')}`);
}
