import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { SkipringClient } from '@skipring/client';
import {
  dataSetRegistrationSchema,
  fieldErrors,
  type DataSetRegistrationInput,
  type DataSetView,
} from '@skipring/protocol';
import { confirm } from '../confirm.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { fieldLines } from '../error-text.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { table } from '../output/format.js';
import { examples } from './help.js';

const POLL_MS = 250;
const PREPARE_TIMEOUT_MS = 30 * 60_000;

/** `dataset add`, `list`, `show` and `remove`. */
export function addDataSetCommands(program: Command, context: CommandContext): void {
  const group = program.command('dataset').description('register and list data sets');

  group
    .command('add')
    .description('register a data set and wait until it is prepared')
    .argument('<name>', 'lower case letters, digits and dashes')
    .argument('[path]', 'file or folder on the coordinator machine; none for glyphs')
    .requiredOption('--format <format>', 'idx, cifar10, cifar100, images or glyphs')
    .option('--seed <number>', 'glyphs: seed')
    .option('--train-samples <number>', 'glyphs: size of the training split')
    .option('--test-samples <number>', 'glyphs: size of the test split')
    .addHelpText(
      'after',
      examples(
        'skipring dataset add glyphs --format glyphs',
        'skipring dataset add fashion-mnist data/fashion-mnist --format idx',
      ),
    )
    .action(async (name: string, path: string | undefined, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & GlyphFlags & { format: string }>();
      const registration = readRegistration(name, path, flags);
      const view = await prepareDataSet(
        await context.client(flags),
        registration,
        context.interrupted,
      );
      context.show(flags, view, () => describe(view));
    });

  group
    .command('list')
    .description('list data sets')
    .addHelpText('after', examples('skipring dataset list'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const views = await (await context.client(flags)).dataSets();
      context.show(flags, views, () =>
        views.length === 0
          ? 'no data sets; add one with: skipring dataset add glyphs --format glyphs'
          : table(
              ['NAME', 'STATE', 'SHAPE', 'CLASSES', 'TRAIN', 'TEST', 'REASON'],
              views.map((view) => row(view)),
            ),
      );
    });

  group
    .command('show')
    .description('show one data set')
    .argument('<name>', 'name of the data set')
    .addHelpText('after', examples('skipring dataset show glyphs'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const view = await (await context.client(flags)).dataSet(name);
      context.show(flags, view, () => describe(view));
    });

  group
    .command('remove')
    .description('remove a data set and what was prepared of it; your own files stay')
    .argument('<name>', 'name of the data set')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples('skipring dataset remove glyphs --yes'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { yes?: boolean }>();
      const client = await context.client(flags);
      await confirm(`remove data set ${name}?`, flags, context.interrupted);
      await client.removeDataSet(name);
      context.show(flags, { name, removed: true }, () => `${name} is removed`);
    });
}

interface GlyphFlags {
  readonly seed?: string;
  readonly trainSamples?: string;
  readonly testSamples?: string;
}

/** Registers and waits; throws CommandError with the coordinator's reason when preparation fails. */
export async function prepareDataSet(
  client: SkipringClient,
  registration: DataSetRegistrationInput,
  interrupted: AbortSignal,
): Promise<DataSetView> {
  let view = await client.registerDataSet(registration);
  const deadline = Date.now() + PREPARE_TIMEOUT_MS;
  while (view.state === 'preparing') {
    if (interrupted.aborted) throw new CommandError(EXIT.interrupted, 'interrupted');
    if (Date.now() > deadline) {
      throw new CommandError(EXIT.refused, `data set ${view.name}: not prepared within 30 minutes`);
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
    view = await client.dataSet(view.name);
  }
  if (view.state === 'failed') {
    throw new CommandError(EXIT.refused, `data set ${view.name}: ${view.reason}`);
  }
  return view;
}

function readRegistration(
  name: string,
  path: string | undefined,
  flags: GlyphFlags & { format: string },
): DataSetRegistrationInput {
  const numbers = Object.fromEntries(
    (['seed', 'trainSamples', 'testSamples'] as const)
      .filter((key) => flags[key] !== undefined)
      .map((key) => [key, numberOrText(flags[key] ?? '')]),
  );
  const fields = {
    name,
    format: flags.format,
    ...(path === undefined ? {} : { path: resolve(path) }),
    ...numbers,
  };
  const parsed = dataSetRegistrationSchema.safeParse(fields);
  if (!parsed.success) {
    throw new CommandError(
      EXIT.usage,
      `the data set is not valid${fieldLines(fieldErrors(parsed.error.issues, fields))}`,
      'skipring dataset add --help',
    );
  }
  return parsed.data;
}

/** What is no number stays as it was given, for the error message. */
function numberOrText(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

function row(view: DataSetView): string[] {
  const { manifest } = view;
  if (manifest === null) return [view.name, view.state, '-', '-', '-', '-', view.reason];
  return [
    view.name,
    view.state,
    `${manifest.height}x${manifest.width}x${manifest.channels}`,
    String(manifest.classes.length),
    String(manifest.splits.train.samples),
    String(manifest.splits.test.samples),
    view.reason,
  ];
}

function describe(view: DataSetView): string {
  return table(['NAME', 'STATE', 'SHAPE', 'CLASSES', 'TRAIN', 'TEST', 'REASON'], [row(view)]);
}
