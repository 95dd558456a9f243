import type { Command } from 'commander';
import {
  fieldErrors,
  finalJobStates,
  webhookChangeSchema,
  webhookRequestSchema,
  type NewWebhook,
} from '@skipring/protocol';
import type { z } from 'zod';
import type { CommandContext, CommonFlags } from '../context.js';
import { fieldLines } from '../error-text.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { table } from '../output/format.js';
import { parseDuration } from '../output/parse-duration.js';
import { examples } from './help.js';

/** `webhook create`, `list`, `deliveries`, `test`, `enable`, `disable`, `change`, `rotate`, `delete`. */
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
              ['NAME', 'OWNER', 'JOBS', 'STATES', 'URL', 'DISABLED'],
              webhooks.map(({ name, owner, ofAllJobs, states, url, disabled }) => [
                ...[name, owner, ofAllJobs ? 'all' : 'own', states.join(','), url],
                disabled === null ? '-' : `${disabled.since}: ${disabled.reason}`,
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
    .command('test')
    .description('send a signed test delivery at once, and tell what became of it')
    .argument('<name>', 'name of the webhook')
    .addHelpText('after', examples('skipring webhook test chat'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const result = await (await context.client(flags)).testWebhook(name);
      const { outcome, status, tookMs, error } = result;
      context.show(flags, result, () => `${outcome} in ${tookMs} ms, status ${status ?? '-'}`);
      if (error !== null) throw new CommandError(EXIT.refused, `webhook ${name}: ${error}`);
    });

  for (const [command, enabled, description] of [
    ['disable', false, 'send nothing to a webhook until it is enabled again'],
    ['enable', true, 'send to a webhook again, from now on'],
  ] as const) {
    group
      .command(command)
      .description(description)
      .argument('<name>', 'name of the webhook')
      .addHelpText('after', examples(`skipring webhook ${command} chat`))
      .action(async (name: string, _options: unknown, of: Command) => {
        const flags = of.optsWithGlobals<CommonFlags>();
        const webhook = await (await context.client(flags)).changeWebhook(name, { enabled });
        context.show(flags, webhook, () => `${webhook.name} is ${command}d`);
      });
  }
  addChange(group, context);

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

function addChange(group: Command, context: CommandContext): void {
  group
    .command('change')
    .description('change where a webhook is, or of what it is told')
    .argument('<name>', 'name of the webhook')
    .option('--to <url>', 'http or https')
    .option('--states <list>', 'states that are told, by commas')
    .addHelpText(
      'after',
      examples(
        'skipring webhook change chat --to https://chat.example.org/hooks/2',
        'skipring webhook change chat --states running,failed',
      ),
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { to?: string; states?: string }>();
      const fields = {
        ...(flags.to === undefined ? {} : { url: flags.to }),
        ...(flags.states === undefined ? {} : { states: statesOf(flags.states) }),
      };
      const change = checked(webhookChangeSchema, fields, 'change');
      const webhook = await (await context.client(flags)).changeWebhook(name, change);
      context.show(
        flags,
        webhook,
        () => `${webhook.name} is told of ${webhook.states.join(', ')} at ${webhook.url}`,
      );
    });
}

function statesOf(list: string): string[] {
  return list.split(',').map((state) => state.trim());
}

/** Throws CommandError `usage` with each field that is not valid. */
function checked<T extends z.ZodType>(schema: T, fields: object, command: string): z.output<T> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const lines = fieldLines(fieldErrors(parsed.error.issues, fields));
  throw new CommandError(
    EXIT.usage,
    `the webhook is not valid${lines}`,
    `skipring webhook ${command} --help`,
  );
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
      const fields = { name, url, states: statesOf(flags.states) };
      const request = checked(webhookRequestSchema, fields, 'create');
      showNew(context, flags, await (await context.client(flags)).createWebhook(request));
    });
}

/** The secret alone on standard output, so that a script can keep it. */
function showNew(context: CommandContext, flags: CommonFlags, webhook: NewWebhook): void {
  if (flags.output === 'text') {
    context.tell(`webhook ${webhook.name}; its secret is shown this once:`);
  }
  context.show(flags, webhook, () => webhook.secret);
}
