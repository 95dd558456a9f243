import { ProvisionError } from './errors.js';
import { optionsFromEnvironment } from './options/environment.js';
import { createProgress } from './progress.js';
import { provision } from './provision.js';

const EXIT_FAILED = 1;
/** 128 + the signal's number, as shells have it. */
const EXIT_SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    process.stderr.write('\ninterrupted; run the command again to go on where it stopped\n');
    process.exit(EXIT_SIGNALS[signal]);
  });
}

try {
  const options = optionsFromEnvironment(process.env);
  const progress = createProgress(process.stderr);
  const { device, tensorflowVersion, redis } = await provision(options, progress);
  process.stderr.write(
    `ready: TensorFlow ${tensorflowVersion} (${device}), Redis ${redis.version} (${redis.source})\n`,
  );
} catch (error) {
  if (!(error instanceof ProvisionError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\nwhat to do: ${error.fix}\n`);
  process.exitCode = EXIT_FAILED;
}
