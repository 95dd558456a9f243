import { randomBytes } from 'node:crypto';
import type { RingTuning } from '@skipring/collective';
import type { Command } from 'commander';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { unlessInterrupted } from '../interruption.js';
import type { ProgressTarget } from '../output/progress.js';
import { describeTuning } from '../tune/describe-tuning.js';
import { areLocal, parseMembers } from '../tune/members.js';
import type { Member, RankTask } from '../tune/rank-messages.js';
import { RankProcess } from '../tune/rank-process.js';
import { parseCount } from './count.js';
import { examples } from './help.js';

const HOST = '127.0.0.1';
/** Ranks of one machine start at once; those of several are started by hand. */
const CONNECT_DEADLINE_MS = { local: 30_000, remote: 300_000 };

/** `tune-ring`: which algorithm is faster for which vectors, here or between machines. */
export function addTuneRingCommand(program: Command, context: CommandContext): void {
  program
    .command('tune-ring')
    .description('measure all-reduces on this machine, or between several, and say what to set')
    .option('--ranks <count>', 'processes on this machine', '2')
    .option(
      '--members <list>',
      'HOST:PORT of every rank, separated by commas, instead; run the command on each machine ' +
        '(with the same SKIPRING_JOIN_TOKEN in its environment)',
    )
    .option('--rank <number>', 'which of the members this machine is, from 0')
    .option('--budget <ms>', 'how long each of the 13 sizes is measured, about', '1000')
    .addHelpText(
      'after',
      examples(
        'skipring tune-ring --ranks 4',
        'skipring tune-ring --members 10.0.0.1:7600,10.0.0.2:7600 --rank 0',
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CommonFlags & TuneFlags>();
      const tuning = await tune(context, flags);
      context.show(flags, tuning, () => describeTuning(tuning));
    });
}

interface TuneFlags {
  readonly ranks: string;
  readonly members?: string;
  readonly rank?: string;
  readonly budget: string;
}

function tune(context: CommandContext, flags: TuneFlags): Promise<RingTuning> {
  const budgetMs = parseCount('--budget', flags.budget, 1, 600_000);
  if (flags.members === undefined) {
    if (flags.rank !== undefined) {
      throw new CommandError(EXIT.usage, `--rank ${flags.rank}: expected --members as well`);
    }
    const numRanks = parseCount('--ranks', flags.ranks, 2, 64);
    return measure(
      context,
      Array.from({ length: numRanks }, () => ({ host: HOST, port: 0 })),
      {
        ringToken: randomBytes(24).toString('base64url'),
        connectDeadlineMs: CONNECT_DEADLINE_MS.local,
        budgetMs,
      },
    );
  }
  const members = parseMembers(flags.members);
  const rank = parseCount('--rank', flags.rank ?? '(missing)', 0, members.length - 1);
  const joinToken = context.environment.inherited.SKIPRING_JOIN_TOKEN ?? '';
  if (joinToken === '' && !areLocal(members)) {
    throw new CommandError(
      EXIT.usage,
      'SKIPRING_JOIN_TOKEN is not set; expected the same secret on all machines',
    );
  }
  const ringToken = joinToken === '' ? 'none on one machine' : joinToken;
  const common = { ringToken, connectDeadlineMs: CONNECT_DEADLINE_MS.remote, budgetMs };
  return measure(context, members, common, rank);
}

/** Runs all ranks, or the one given, to their end; what rank 0, or that one, found is what all found. */
async function measure(
  context: CommandContext,
  places: readonly Member[],
  common: Omit<RankTask, 'rank' | 'members'>,
  only?: number,
): Promise<RingTuning> {
  const ranks: RankProcess[] = [];
  const show = progressOn(context.progress);
  const work = async (): Promise<RingTuning> => {
    const members = [...places];
    const own = only === undefined ? [...places.keys()] : [only];
    for (const rank of own) {
      const { host, port } = places[rank] ?? { host: HOST, port: 0 };
      // A machine may not know the name or address that others reach it at.
      const at = { host: areLocal([{ host, port }]) ? host : '0.0.0.0', port };
      const started = await RankProcess.start(at);
      ranks.push(started.rank);
      const { port: ownPort, localName } = started;
      // Nobody tells the name to processes that others start.
      const isKnown = only === undefined && localName !== null;
      members[rank] = { host, port: ownPort, ...(isKnown && { localName }) };
    }
    const tunings = await Promise.all(
      ranks.map((process, index) =>
        process.tune(
          { ...common, members, rank: own[index] ?? 0 },
          index === 0 ? show : () => undefined,
        ),
      ),
    );
    const [first] = tunings;
    if (first === undefined) throw new Error('no rank was started');
    return first;
  };
  try {
    return await unlessInterrupted(context.interrupted, work());
  } finally {
    for (const rank of ranks) rank.stop();
    if (context.progress.isTerminal) context.progress.stream.write('\r\u001b[2K');
  }
}

/** One line that is drawn over on a terminal, a line for each size in a log. */
function progressOn({ stream, isTerminal, style }: ProgressTarget) {
  return (numDone: number, numSizes: number): void => {
    const text = style('dim', `measured ${numDone} of ${numSizes} sizes`);
    stream.write(isTerminal ? `\r\u001b[2K${text}` : `${text}\n`);
  };
}
