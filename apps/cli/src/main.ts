import { createRequire } from 'node:module';
import { CommanderError } from 'commander';
import { makeContext, targetOf } from './context.js';
import { describeError } from './error-text.js';
import { EXIT } from './exit-codes.js';
import { listenForSignals } from './interruption.js';
import { readEnvironment } from './options.js';
import { makeProgram } from './program.js';

const environment = readEnvironment(process.env);
const interruption = listenForSignals();
for (const stream of [process.stdout, process.stderr]) {
  // A closed pipe (`skipring list | head`) is not an error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
try {
  await makeProgram(makeContext(environment, interruption), version).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
// What an interrupted command began may still be under way: it is not waited for.
if (interruption.interrupted.aborted) process.exit();

/** Says what went wrong, without a stack trace; returns the exit code. */
function report(error: unknown): number {
  // Commander has told it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { exitCode, message, hint } = describeError(error, interruption.interrupted.aborted);
  const { style } = targetOf(process.stderr, environment);
  process.stderr.write(`${style('red', 'error')}: ${message}\n`);
  if (hint !== null) process.stderr.write(`next: ${hint}\n`);
  return exitCode;
}
