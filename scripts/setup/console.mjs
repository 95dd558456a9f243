import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runStep } from './step.mjs';

/** What the bundle is made of. */
const SOURCES = [
  'apps/console/index.html',
  'apps/console/package.json',
  'apps/console/public',
  'apps/console/src',
  'apps/console/vite.config.js',
  'libs/client/src',
  'libs/cluster/src',
  'libs/protocol/src',
  'package-lock.json',
];

/** Bundles the console; does nothing when none of its sources has changed since. */
export async function buildConsole(root, env, say) {
  const stamp = join(root, 'apps', 'console', 'dist', 'sources.sha256');
  const digest = digestOf(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say('bundling the console');
  const require = createRequire(join(root, 'package.json'));
  const vite = join(dirname(require.resolve('vite/package.json')), 'bin', 'vite.js');
  const args = [vite, 'build', '--logLevel', 'warn'];
  await runStep('the console build', args, { cwd: join(root, 'apps', 'console'), env });
  writeFileSync(stamp, digest);
}

/** SHA-256 over names and contents of all sources. */
export function digestOf(root) {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of filesOf(join(root, source)).sort()) {
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

function filesOf(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      filesOf(join(path, entry.name)),
    );
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    return [path];
  }
}
