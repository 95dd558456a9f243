import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { CommandError, EXIT } from './exit-codes.js';

/** Where a person answers. */
export interface Answers {
  readonly input: Readable;
  readonly output: Writable;
  /** Whether there is a person: both are terminals. */
  readonly isTerminal: boolean;
}

const TERMINAL: Answers = {
  input: process.stdin,
  output: process.stderr,
  isTerminal: process.stdin.isTTY && process.stderr.isTTY,
};

/**
 * Asks before something is done that is not undone. Without a terminal `--yes` is the answer.
 * @throws CommandError `usage` when there is neither, `interrupted` when the answer is no
 */
export async function confirm(
  question: string,
  { yes = false }: { readonly yes?: boolean },
  interrupted: AbortSignal,
  { input, output, isTerminal }: Answers = TERMINAL,
): Promise<void> {
  if (yes) return;
  if (!isTerminal) {
    throw new CommandError(EXIT.usage, `${question} Without a terminal, say --yes`);
  }
  const lines = createInterface({ input, output });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: interrupted });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CommandError(EXIT.interrupted, 'nothing is deleted');
}
