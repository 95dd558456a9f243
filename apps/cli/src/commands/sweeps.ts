import type { Command } from 'commander';
import {
  API_VERSION,
  fieldErrors,
  hasTrialEnded,
  sweepSpecSchema,
  trialsBestFirst,
  type SweepView,
} from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { fieldLines } from '../error-text.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { readJobFile } from '../job-file.js';
import { table } from '../output/format.js';
import { examples } from './help.js';

/** `sweep submit`, `list`, `show` and `cancel`. */
export function addSweepCommands(program: Command, context: CommandContext): void {
  const group = program
    .command('sweep')
    .description('train many jobs that differ in some fields: grid, random, successive halving');

  group
    .command('submit')
    .description('submit a sweep')
    .argument('<file>', 'sweep file, YAML or JSON; - reads standard input')
    .addHelpText('after', examples('skipring sweep submit sweep.yaml'))
    .action(async (file: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const { fields, place } = await readJobFile(file);
      const spec = { apiVersion: API_VERSION, ...fields };
      const parsed = sweepSpecSchema.safeParse(spec);
      if (!parsed.success) {
        const lines = fieldLines(fieldErrors(parsed.error.issues, spec), place);
        throw new CommandError(EXIT.usage, `the sweep is not valid${lines}`);
      }
      const sweep = await (await context.client(flags)).submitSweep(parsed.data);
      context.show(flags, sweep, () => `${sweep.id}\nnext: skipring sweep show ${sweep.id}`);
    });

  group
    .command('list')
    .description('list sweeps, newest first')
    .addHelpText('after', examples('skipring sweep list'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const sweeps = await (await context.client(flags)).sweeps();
      context.show(flags, sweeps, () =>
        sweeps.length === 0
          ? 'no sweeps; submit one with: skipring sweep submit FILE'
          : table(['ID', 'NAME', 'STATE', 'TRIALS', 'BEST'], sweeps.map(row)),
      );
    });

  for (const [name, description] of [
    ['show', 'show a sweep and its trials, the best first'],
    ['cancel', 'submit no more trials and cancel those that are open'],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument('<sweep>', 'sweep id')
      .addHelpText('after', examples(`skipring sweep ${name} SWEEP`))
      .action(async (id: string, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<CommonFlags>();
        const client = await context.client(flags);
        const sweep = name === 'show' ? await client.sweep(id) : await client.cancelSweep(id);
        context.show(flags, sweep, () => describe(sweep));
      });
  }
}

function row({ id, name, state, trials, best }: SweepView): string[] {
  const numEnded = trials.filter(hasTrialEnded).length;
  return [id, name, state, `${numEnded}/${trials.length}`, best?.score?.toFixed(4) ?? '-'];
}

function describe(sweep: SweepView): string {
  const { spec } = sweep;
  const fields = Object.keys(spec.parameters);
  return [
    `${sweep.name} (${sweep.id}), ${sweep.state}, ${spec.strategy.kind}, by ${spec.objective}`,
    table(
      ['TRIAL', 'RUNG', spec.objective.toUpperCase(), 'STATE', 'JOB', ...fields, 'REASON'],
      trialsBestFirst(sweep).map((trial) => [
        ...[String(trial.index), String(trial.rung), trial.score?.toFixed(4) ?? '-'],
        ...[trial.state ?? 'waits', trial.jobId ?? '-'],
        ...fields.map((field) => shortened(trial.parameters[field])),
        trial.reason,
      ]),
    ),
  ].join('\n');
}

function shortened(value: string | number | boolean | undefined): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toPrecision(4);
  return String(value ?? '-');
}
