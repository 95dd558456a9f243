import type { Command } from 'commander';
import type { JobView } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { specLeaves } from '../export/spec-leaves.js';
import { duration, percent, table } from '../output/format.js';
import { examples } from './help.js';

const MAX_JOBS = 20;

/** `compare`: what differs between jobs, and what came of it. */
export function addCompareCommand(program: Command, context: CommandContext): void {
  program
    .command('compare')
    .description('show what differs between jobs, and their results')
    .argument('<jobs...>', 'two or more job ids')
    .addHelpText('after', examples('skipring compare JOB1 JOB2'))
    .action(async (ids: string[], _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      if (ids.length < 2 || ids.length > MAX_JOBS) {
        throw new CommandError(EXIT.usage, `expected 2 to ${MAX_JOBS} jobs, not ${ids.length}`);
      }
      const client = await context.client(flags);
      const jobs = await Promise.all(ids.map((id) => client.job(id)));
      const differences = specDifferences(jobs);
      context.show(flags, { differences, jobs }, () =>
        table(
          ['', ...jobs.map(({ id }) => id)],
          [
            ...Object.entries(differences).map(([field, values]) => [field, ...values]),
            ...results(jobs),
          ],
        ),
      );
    });
}

/** Fields of the specs that are not the same in all jobs: values by field, in the order of the jobs. */
export function specDifferences(jobs: readonly Pick<JobView, 'spec'>[]): Record<string, string[]> {
  const flat = jobs.map(({ spec }) => new Map(specLeaves(spec)));
  const fields = new Set(flat.flatMap((one) => [...one.keys()]));
  const rows = [...fields].map(
    (field) => [field, flat.map((one) => one.get(field) ?? '-')] as const,
  );
  return Object.fromEntries(rows.filter(([, values]) => new Set(values).size > 1));
}

function results(jobs: readonly JobView[]): string[][] {
  const row = (name: string, of: (job: JobView) => string): string[] => [name, ...jobs.map(of)];
  return [
    row('= state', ({ state }) => state),
    row('= steps', ({ progress: { step, totalSteps } }) => `${step}/${totalSteps}`),
    row('= loss', ({ lastStep }) => lastStep?.loss.toFixed(4) ?? '-'),
    row('= best accuracy', ({ bestAccuracy }) =>
      bestAccuracy === null ? '-' : percent(bestAccuracy),
    ),
    row('= time', timeOf),
    row('= model', ({ modelSha256 }) => modelSha256?.slice(0, 12) ?? '-'),
  ];
}

function timeOf({ startedAt, finishedAt }: JobView): string {
  if (startedAt === null || finishedAt === null) return '-';
  return duration(Date.parse(finishedAt) - Date.parse(startedAt));
}
