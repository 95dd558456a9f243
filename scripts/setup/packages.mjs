import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

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
