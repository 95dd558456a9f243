import type { Command } from 'commander';
import {
  fieldErrors,
  finalJobStates,
  webhookRequestSchema,
  type NewWebhook,
} from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { fieldLines } from '../error-text.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { table } from '../output/format.js';
import { parseDuration } from '../output/parse-duration.js';
import { examples } from './help.js';

/** `webhook create`, `list`, `deliveries`, `rotate` and `delete`. */
export function addWebhookCommands(program: Command, context: CommandContext): void {
  const group = program
    .command('webhook')
    .description('have changes of jobs sent to a URL, signed with HMAC');
  addCreate(group, context);

  group
    .command('list')
    .description('list webhooks, without their secrets')
    .addHelpText('after', examples('skipring webhook list'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const webhooks = await (await context.client(flags)).webhooks();
      context.show(flags, webhooks, () =>
        webhooks.length === 0
          ? 'no webhooks; register one with: skipring webhook create NAME URL'
          : table(
              ['NAME', 'OWNER', 'JOBS', 'STATES', 'URL'],
              webhooks.map(({ name, owner, ofAllJobs, states, url }) => [
                ...[name, owner, ofAllJobs ? 'all' : 'own', states.join(','), url],
              ]),
            ),
      );
    });

  group
    .command('deliveries')
    .description('list the newest tries to deliver, and what became of each')
    .argument('<name>', 'name of the webhook')
    .addHelpText('after', examples('skipring webhook deliveries chat'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const tries = await (await context.client(flags)).deliveries(name);
      context.show(flags, tries, () =>
        table(
          ['TIME', 'JOB', 'STATE', 'OUTCOME', 'STATUS', 'MS', 'ERROR'],
          tries.map(({ time, jobId, state, outcome, status, tookMs, error }) => [
            ...[time, jobId, state, outcome, String(status ?? '-'), String(tookMs), error ?? ''],
          ]),
        ),
      );
    });

  group
    .command('rotate')
    .description('give a webhook a new secret')
    .argument('<name>', 'name of the webhook')
    .option('--overlap <duration>', 'how long the old secret signs beside it, such as 1h', '0s')
    .addHelpText('after', examples('skipring webhook rotate chat --overlap 1h'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { overlap: string }>();
      const overlapMs = parseDuration('--overlap', flags.overlap);
      showNew(context, flags, await (await context.client(flags)).rotateWebhook(name, overlapMs));
    });

  group
    .command('delete')
    .description('send nothing more to a webhook')
    .argument('<name>', 'name of the webhook')
    .addHelpText('after', examples('skipring webhook delete chat'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      await (await context.client(flags)).deleteWebhook(name);
      context.show(flags, { name, deleted: true }, () => `${name} is deleted`);
    });
}

function addCreate(group: Command, context: CommandContext): void {
  group
    .command('create')
    .description('register a webhook; its secret is shown this once')
    .argument('<name>', 'lower case letters, digits and dashes')
    .argument('<url>', 'http or https')
    .option('--states <list>', 'states that are told, by commas', finalJobStates.join(','))
    .addHelpText(
      'after',
      examples(
        'skipring webhook create chat https://chat.example.org/hooks/1',
        'skipring webhook create audit https://example.org/hook --states running,failed',
      ),
    )
    .action(async (name: string, url: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { states: string }>();
      const fields = { name, url, states: flags.states.split(',').map((state) => state.trim()) };
      const parsed = webhookRequestSchema.safeParse(fields);
      if (!parsed.success) {
        const lines = fieldLines(fieldErrors(parsed.error.issues, fields));
        throw new CommandError(
          EXIT.usage,
          `the webhook is not valid${lines}`,
          'skipring webhook create --help',
        );
      }
      showNew(context, flags, await (await context.client(flags)).createWebhook(parsed.data));
    });
}

/** The secret alone on standard output, so that a script can keep it. */
function showNew(context: CommandContext, flags: CommonFlags, webhook: NewWebhook): void {
  if (flags.output === 'text') {
    context.tell(`webhook ${webhook.name}; its secret is shown this once:`);
  }
  context.show(flags, webhook, () => webhook.secret);
}
