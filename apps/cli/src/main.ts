import { createRequire } from 'node:module';
import { ApiError, ConnectionError } from '@skipring/client';
import { CommanderError } from 'commander';
import { makeContext } from './context.js';
import { CommandError, EXIT } from './exit-codes.js';
import { readEnvironment } from './options.js';
import { makeStyle } from './output/style.js';
import { makeProgram } from './program.js';

const environment = readEnvironment(process.env, process.stdout.isTTY);
const style = makeStyle(environment.colour);
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupt.abort();
  });
}
// A closed pipe (`skipring list | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
try {
  await makeProgram(makeContext(environment, interrupt.signal), version).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, without a stack trace; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const fail = (message: string, hint: string | null): void => {
    process.stderr.write(`${style('red', 'error')}: ${message}\n`);
    if (hint !== null) process.stderr.write(`next: ${hint}\n`);
  };
  if (error instanceof CommandError) {
    fail(error.message, error.hint);
    return error.exitCode;
  }
  if (error instanceof ApiError) {
    const fields = error.problem.errors ?? [];
    const lines = fields.map((e) => `\n  ${e.field}: ${e.value}: ${e.expected}`);
    fail(`${error.message} (${error.code})${lines.join('')}`, null);
    return EXIT.refused;
  }
  if (error instanceof ConnectionError) {
    fail(
      error.message,
      'is it running? `skipring up` starts one; `skipring doctor` looks at this machine',
    );
    return EXIT.connection;
  }
  fail(error instanceof Error ? error.message : String(error), 'skipring doctor');
  return EXIT.unexpected;
}
