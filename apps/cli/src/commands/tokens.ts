import type { Command } from 'commander';
import {
  fieldErrors,
  roles,
  tokenRequestSchema,
  type NewToken,
  type TokenView,
} from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { fieldLines } from '../error-text.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { table } from '../output/format.js';
import { parseDuration } from '../output/parse-duration.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

const MAX_COUNT = 1_000_000;

/** `token create`, `list`, `revoke`, `rotate`, `whoami` and `audit`. */
export function addTokenCommands(program: Command, context: CommandContext): void {
  const group = program.command('token').description('give people and programs access');
  addCreate(group, context);

  group
    .command('list')
    .description('list tokens, without their secrets')
    .addHelpText('after', examples('skipring token list'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const tokens = await (await context.client(flags)).tokens();
      context.show(flags, tokens, () => listTokens(tokens));
    });

  group
    .command('revoke')
    .description('refuse a token from now on')
    .argument('<name>', 'name of the token')
    .addHelpText('after', examples('skipring token revoke ci'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      await (await context.client(flags)).revokeToken(name);
      context.show(flags, { name, revoked: true }, () => `${name} is revoked`);
    });

  group
    .command('rotate')
    .description('give a token a new secret')
    .argument('<name>', 'name of the token')
    .option('--overlap <duration>', 'how long the old secret is still taken, such as 10m', '0s')
    .addHelpText('after', examples('skipring token rotate ci --overlap 1h'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { overlap: string }>();
      const overlapMs = parseDuration('--overlap', flags.overlap);
      showNew(context, flags, await (await context.client(flags)).rotateToken(name, overlapMs));
    });

  program
    .command('whoami')
    .description('say whose token is used, and what it may do')
    .addHelpText('after', examples('skipring whoami'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const principal = await (await context.client(flags)).whoAmI();
      context.show(flags, principal, () => `${principal.name} (${principal.role})`);
    });

  program
    .command('audit')
    .description('list who changed what, newest first')
    .option('--limit <count>', 'at most this many', '50')
    .option('--actor <name>', 'of this token alone')
    .addHelpText('after', examples('skipring audit --limit 10', 'skipring audit --actor ci'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & { limit: string; actor?: string }>();
      const limit = parseCount('--limit', flags.limit, 1, 1_000);
      const { actor } = flags;
      const query = { limit, ...(actor === undefined ? {} : { actor }) };
      const { items } = await (await context.client(flags)).audit(query);
      context.show(flags, items, () =>
        table(
          ['TIME', 'ACTOR', 'ROLE', 'FROM', 'STATUS', 'REQUEST'],
          items.map(({ time, actor, role, address, status, method, path }) => [
            ...[time, actor, role, address, String(status), `${method} ${path}`],
          ]),
        ),
      );
    });
}

interface CreateFlags {
  readonly role: string;
  readonly expires: string;
  readonly rate?: string;
  readonly jobs?: string;
  readonly workers?: string;
  readonly storage?: string;
}

function addCreate(group: Command, context: CommandContext): void {
  group
    .command('create')
    .description('make a token; its secret is shown this once')
    .argument('<name>', 'lower case letters, digits and dashes')
    .requiredOption(
      '--role <role>',
      `${roles.join(', ')}: each may do all that those before it may`,
    )
    .option('--expires <duration>', 'such as 12h or 30d, or never', '90d')
    .option('--rate <count>', 'requests a second')
    .option('--jobs <count>', 'jobs that have not ended, at a time')
    .option('--workers <count>', 'sum of workers.max over its jobs that have not ended')
    .option('--storage <gigabytes>', 'checkpoints of its jobs and data sets, in GB of 1e9 bytes')
    .addHelpText(
      'after',
      examples(
        'skipring token create dashboard --role viewer --expires never',
        'skipring token create ci --role submitter --jobs 10 --workers 4',
      ),
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & CreateFlags>();
      const count = (flag: string, text: string | undefined): number | null =>
        text === undefined ? null : parseCount(flag, text, 1, MAX_COUNT);
      const gigabytes = count('--storage', flags.storage);
      const fields = {
        name,
        role: flags.role,
        expiresInMs: flags.expires === 'never' ? null : parseDuration('--expires', flags.expires),
        limits: {
          requestsPerSecond: count('--rate', flags.rate),
          openJobs: count('--jobs', flags.jobs),
          workers: count('--workers', flags.workers),
          storageBytes: gigabytes === null ? null : gigabytes * 1e9,
        },
      };
      const parsed = tokenRequestSchema.safeParse(fields);
      if (!parsed.success) {
        const lines = fieldLines(fieldErrors(parsed.error.issues, fields));
        throw new CommandError(
          EXIT.usage,
          `the token is not valid${lines}`,
          'skipring token create --help',
        );
      }
      showNew(context, flags, await (await context.client(flags)).createToken(parsed.data));
    });
}

/** The secret alone on standard output, so that a script can keep it. */
function showNew(context: CommandContext, flags: CommonFlags, token: NewToken): void {
  if (flags.output === 'text') {
    context.tell(`token ${token.name} (${token.role}), ${expiryOf(token)}; it is shown this once:`);
  }
  context.show(flags, token, () => token.token);
}

function listTokens(tokens: readonly TokenView[]): string {
  if (tokens.length === 0) {
    return 'no tokens; make one with: skipring token create NAME --role submitter';
  }
  return table(
    ['NAME', 'ROLE', 'EXPIRES', 'RATE', 'JOBS', 'WORKERS', 'STORAGE', 'MADE BY'],
    tokens.map(({ name, role, expiresAt, limits, createdBy }) => [
      name,
      role,
      expiresAt ?? 'never',
      ...[limits.requestsPerSecond, limits.openJobs, limits.workers, limits.storageBytes].map(
        (limit) => (limit === null ? '-' : String(limit)),
      ),
      createdBy,
    ]),
  );
}

function expiryOf({ expiresAt }: TokenView): string {
  return expiresAt === null ? 'never expires' : `expires ${expiresAt}`;
}
