import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Exit code for what this machine lacks, as of the command line. */
const ENVIRONMENT = 7;

/**
 * A virtual environment of Python with these packages (`name==version`), for tests that need one: made
 * once, found again by later calls. Needs python3 with venv and the Python package index.
 * @returns its directory
 */
export function virtualEnvironment(name, packages) {
  const cache = process.env.SKIPRING_CACHE_DIR ?? join(tmpdir(), 'skipring-python');
  const versions = packages.map((entry) => entry.split('==')[1]).join('-');
  const directory = join(cache, `${name}-${versions}`);
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return directory;
  rmSync(directory, { recursive: true, force: true });
  console.error(`installing ${packages.join(', ')} in ${directory}`);
  run('python3', ['-m', 'venv', directory]);
  run(join(directory, 'bin', 'pip'), ['install', '--quiet', ...packages]);
  run('touch', [complete]);
  return directory;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error === undefined && status === 0) return;
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
  process.exit(ENVIRONMENT);
}
