import { existsSync, readFileSync, realpathSync, statfsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runStep, StepError } from './step.mjs';

const WHAT_TO_DO = [
  'what to do: npm said above, or in its log, what went wrong. Without a network, connect to one;',
  "behind a firewall, give npm its registry, proxy and certificates ('npm config set registry URL',",
  "'... https-proxy URL', '... cafile FILE'); with a full disk, free 1 GB. Then run the command again:",
  'what npm has fetched is not fetched again',
].join('\n  ');

/** What `node_modules` takes, with some room for the build's output. */
const NEEDED_BYTES = 0.7e9;

/**
 * Makes `node_modules` what `package-lock.json` asks for; does nothing when it is already. Install
 * scripts stay off.
 */
export async function installPackages(root, env, say, { statfs = statfsSync } = {}) {
  const outdated = outdatedReason(root);
  if (outdated === undefined) return;
  say(`installing npm packages (${outdated})`);
  const npm = findNpm(env);
  if (npm === undefined) {
    throw new StepError(
      'npm is not found; install it (it comes with Node.js) or put it on PATH',
      1,
    );
  }
  requireFreeBytes(root, statfs);
  const args = [npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await runStep('npm ci', args, { cwd: root, env });
  } catch (error) {
    if (!(error instanceof StepError) || error.interrupted) throw error;
    throw new StepError(`${error.message}\n  ${WHAT_TO_DO}`, error.exitCode);
  }
  // Some versions of npm end with status 0 when every request has failed.
  const reason = outdatedReason(root);
  if (reason === undefined) return;
  throw new StepError(
    `npm ci ended, but the packages are not installed (${reason})\n  ${WHAT_TO_DO}`,
    1,
  );
}

/** npm does not say that a disk is full; a disk that is too small is told before the download. */
function requireFreeBytes(root, statfs) {
  // npm clears an older installation away before it writes the new one.
  if (existsSync(join(root, 'node_modules'))) return;
  const { bavail, bsize } = statfs(root);
  const freeBytes = bavail * bsize;
  if (freeBytes >= NEEDED_BYTES) return;
  const [needed, free] = [NEEDED_BYTES, freeBytes].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
  throw new StepError(
    `the npm packages need ${needed} on the disk of ${root}, which has ${free} left: free some space, or clone to a larger disk`,
    1,
  );
}

/**
 * Why `node_modules` is not what `package-lock.json` asks for, or `undefined` when it is. npm writes
 * the list of what it installed (`node_modules/.package-lock.json`) as its last act, so an
 * interrupted installation counts as none.
 */
export function outdatedReason(root) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'none are installed';
  const wanted = packagesOf(join(root, 'package-lock.json')) ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    if (present === undefined) {
      // Packages for other platforms are left out.
      if (entry.optional || entry.devOptional || entry.peer) continue;
      return `${path} is missing`;
    }
    const changed = ['version', 'integrity', 'link'].find((key) => present[key] !== entry[key]);
    if (changed !== undefined) return `${path} has another ${changed}`;
  }
  return undefined;
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * npm's program file, to be run by this Node.js: the npm that runs us, else the one that came with
 * this Node.js, else the one on PATH.
 */
export function findNpm(env) {
  const isNpm = (path) => path.endsWith('npm-cli.js') && existsSync(path);
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const onPath = (env.PATH ?? '').split(delimiter).flatMap((directory) => {
    try {
      return [realpathSync(join(directory, 'npm'))];
    } catch {
      return [];
    }
  });
  return [
    env.npm_execpath ?? '',
    join(prefix, 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    ...onPath,
    '/usr/share/nodejs/npm/bin/npm-cli.js',
  ].find(isNpm);
}
