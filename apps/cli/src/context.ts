import { SkipringClient } from '@skipring/client';
import { findEndpoint } from './endpoint.js';
import type { CliEnvironment } from './options.js';
import type { ProgressTarget } from './output/progress.js';
import { makeStyle, type Style } from './output/style.js';

/** Flags that every command takes. */
export interface CommonFlags {
  readonly url?: string;
  readonly token?: string;
  readonly output: 'text' | 'json';
}

/** What a command works with. */
export interface CommandContext {
  readonly environment: CliEnvironment;
  readonly style: Style;
  readonly progress: ProgressTarget;
  /** Fires on Ctrl-C or SIGTERM. */
  readonly interrupted: AbortSignal;
  print(text: string): void;
  client(flags: CommonFlags): Promise<SkipringClient>;
  /** JSON on `-o json`, else the text. */
  show(flags: CommonFlags, value: unknown, text: () => string): void;
}

export function makeContext(environment: CliEnvironment, interrupted: AbortSignal): CommandContext {
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const style = makeStyle(environment.colour);
  return {
    environment,
    style,
    progress: { stream: process.stderr, isTerminal: process.stderr.isTTY, style },
    interrupted,
    print,
    async client(flags) {
      return new SkipringClient(await findEndpoint(environment, flags));
    },
    show(flags, value, text) {
      print(flags.output === 'json' ? JSON.stringify(value, null, 2) : text());
    },
  };
}
