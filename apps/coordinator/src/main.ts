import { STOP_DEADLINES_MS } from '@skipring/protocol';
import { createCoordinator, type Coordinator } from './create-coordinator.js';
import { createLog } from './observe/log.js';
import { OptionsError, readOptions, type CoordinatorOptions } from './options.js';

const EXIT_OPTIONS = 2;
const EXIT_LEADERSHIP_LOST = 3;

const options = optionsOrExit();
const log = createLog(options.logLevel);
let coordinator: Coordinator | null = null;
let isStopping = false;

function optionsOrExit(): CoordinatorOptions {
  try {
    return readOptions(process.env);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    process.stderr.write(`skipring coordinator: the environment is not usable\n`);
    for (const problem of error.problems) process.stderr.write(`  ${problem}\n`);
    process.exit(EXIT_OPTIONS);
  }
}

async function stop(reason: string): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  log.info({ reason }, 'stopping');
  const timer = setTimeout(() => {
    log.error('not stopped in time');
    process.exit(1);
  }, STOP_DEADLINES_MS.coordinator);
  await coordinator?.close();
  clearTimeout(timer);
  log.info('stopped');
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => void stop(signal));
}
if (options.parentPipe) {
  // The launcher holds the other end: when it is gone, however it ended, so is this process.
  process.stdin.on('close', () => void stop('the launcher ended'));
  process.stdin.on('error', () => void stop('the launcher ended'));
  process.stdin.resume();
}
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'unexpected error');
  process.exit(1);
});

try {
  coordinator = await createCoordinator(options, log);
  const { url, leadershipLost } = coordinator;
  void leadershipLost.then((error) => {
    // At once: another serves already, and what this one would still store is refused.
    log.fatal({ err: error, code: 'LEADERSHIP_LOST' }, 'leadership lost');
    process.stderr.write(`skipring coordinator: ${error.message}\n`);
    process.exit(EXIT_LEADERSHIP_LOST);
  });
  log.info({ event: 'listening', url, pid: process.pid }, 'listening');
} catch (error) {
  const { code = 'UNEXPECTED' } = error as { code?: string };
  log.fatal({ err: error, code }, 'the coordinator could not start');
  process.stderr.write(
    `skipring coordinator: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
}
