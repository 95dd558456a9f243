import { resolve } from 'node:path';
import { SkipringClient } from '@skipring/client';
import { findEndpoint } from './endpoint.js';
import type { Interruption } from './interruption.js';
import type { CliEnvironment } from './options.js';
import type { ProgressTarget } from './output/progress.js';
import { makeStyle, type Style } from './output/style.js';

/** Flags that every command takes. */
export interface CommonFlags {
  readonly url?: string;
  readonly token?: string;
  readonly context?: string;
  readonly dataDir?: string;
  readonly output: 'text' | 'json';
}

/** What a command works with. */
export interface CommandContext extends Interruption {
  readonly environment: CliEnvironment;
  /** Colours of standard output. */
  readonly style: Style;
  /** Standard error: whatever is not a command's result. */
  readonly progress: ProgressTarget;
  print(text: string): void;
  /** Says on standard error what goes on. */
  readonly tell: (text: string) => void;
  dataDirectory(flags: CommonFlags): string;
  /** Its calls end when the command is interrupted. */
  client(flags: CommonFlags): Promise<SkipringClient>;
  /** JSON on `-o json`, else the text. */
  show(flags: CommonFlags, value: unknown, text: () => string): void;
}

/** Standard output or standard error, with colours only where a person sees them. */
export function targetOf(
  stream: NodeJS.WriteStream,
  environment: Pick<CliEnvironment, 'colour'>,
): ProgressTarget {
  // `isTTY` is undefined, not false, for a file or a pipe.
  const isTerminal = Boolean(stream.isTTY);
  return {
    stream,
    isTerminal,
    columns: () => stream.columns,
    style: makeStyle(isTerminal && environment.colour),
  };
}

export function makeContext(
  environment: CliEnvironment,
  interruption: Interruption,
): CommandContext {
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const progress = targetOf(process.stderr, environment);
  const dataDirectory = (flags: CommonFlags): string =>
    resolve(flags.dataDir ?? environment.dataDirectory);
  return {
    environment,
    ...interruption,
    style: targetOf(process.stdout, environment).style,
    progress,
    print,
    tell(text) {
      process.stderr.write(`${progress.style('dim', text)}\n`);
    },
    dataDirectory,
    async client(flags) {
      const endpoint = await findEndpoint(environment, flags, dataDirectory(flags));
      return new SkipringClient({ ...endpoint, signal: interruption.interrupted });
    },
    show(flags, value, text) {
      print(flags.output === 'json' ? JSON.stringify(value, null, 2) : text());
    },
  };
}
