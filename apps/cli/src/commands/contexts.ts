import type { Command } from 'commander';
import type { CommandContext, CommonFlags } from '../context.js';
import {
  checkContextName,
  contextOf,
  readContexts,
  writeContexts,
  type Contexts,
} from '../contexts.js';
import { requireUrl } from '../endpoint.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { table } from '../output/format.js';
import { examples } from './help.js';

/** `context add`, `use`, `list`, `remove`: several clusters, by name. */
export function addContextCommands(program: Command, context: CommandContext): void {
  const path = context.environment.contextsFile;
  const group = program.command('context').description('keep addresses and tokens of clusters');
  const change = async (
    flags: CommonFlags,
    edit: (contexts: Contexts) => Contexts,
    text: string,
  ): Promise<void> => {
    const contexts = edit(await readContexts(path));
    await writeContexts(path, contexts);
    context.show(flags, listed(contexts), () => text);
  };

  group
    .command('add')
    .description('add a cluster, given by --url and --token or SKIPRING_TOKEN, and use it')
    .argument('<name>', 'name of the cluster')
    .addHelpText(
      'after',
      examples(
        'skipring context add lab --url https://skipring.lab.example --token skr_me_...',
        'SKIPRING_TOKEN=$(cat token) skipring context add lab --url https://skipring.lab.example',
      ),
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const { environment } = context;
      const url = flags.url ?? environment.url;
      if (url === null) {
        throw new CommandError(
          EXIT.usage,
          'expected the address of the cluster',
          'skipring context add NAME --url URL --token TOKEN',
        );
      }
      checkContextName(name);
      requireUrl('--url', url);
      const entry = { url, token: flags.token ?? environment.token };
      await change(
        flags,
        ({ contexts }) => ({ current: name, contexts: { ...contexts, [name]: entry } }),
        `${name} is in use`,
      );
    });

  group
    .command('use')
    .description('use a cluster from now on')
    .argument('[name]', 'name of the cluster; none: the running `skipring up`')
    .addHelpText('after', examples('skipring context use lab', 'skipring context use'))
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      await change(
        flags,
        (contexts) => {
          if (name !== undefined) contextOf(contexts, name);
          return { ...contexts, current: name ?? null };
        },
        `${name ?? '`skipring up`'} is in use`,
      );
    });

  group
    .command('list')
    .description('list clusters, without their tokens')
    .addHelpText('after', examples('skipring context list'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      const items = listed(await readContexts(path));
      context.show(flags, items, () =>
        items.length === 0
          ? 'no contexts; add one with: skipring context add NAME --url URL --token TOKEN'
          : table(
              ['', 'NAME', 'URL', 'TOKEN'],
              items.map(({ name, url, isCurrent, hasToken }) => [
                ...[isCurrent ? '*' : ' ', name, url, hasToken ? 'yes' : 'none'],
              ]),
            ),
      );
    });

  group
    .command('remove')
    .description('forget a cluster and its token')
    .argument('<name>', 'name of the cluster')
    .addHelpText('after', examples('skipring context remove lab'))
    .action(async (name: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags>();
      await change(
        flags,
        (known) => {
          contextOf(known, name);
          const contexts = Object.fromEntries(
            Object.entries(known.contexts).filter(([other]) => other !== name),
          );
          return { current: known.current === name ? null : known.current, contexts };
        },
        `${name} is removed`,
      );
    });
}

interface ListedContext {
  readonly name: string;
  readonly url: string;
  readonly isCurrent: boolean;
  readonly hasToken: boolean;
}

/** Never with the tokens. */
function listed({ current, contexts }: Contexts): ListedContext[] {
  return Object.entries(contexts).map(([name, { url, token }]) => ({
    name,
    url,
    isCurrent: name === current,
    hasToken: token !== null,
  }));
}
