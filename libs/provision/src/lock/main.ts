import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readWheelLock } from '../cache/wheel-lock.js';
import { ProvisionError } from '../errors.js';
import { readProjectPage } from '../fetch/find-wheel.js';
import { createHttpClient } from '../fetch/http.js';
import { optionsFromEnvironment } from '../options/environment.js';
import { pinWheels } from './pin-wheels.js';

/** Writes `wheels.lock.json` anew: `node dist/lock/main.js [DISTRIBUTION=VERSION...]`. */
async function main(args: readonly string[]): Promise<void> {
  const versions = new Map(args.map(parseVersion));
  const { index } = optionsFromEnvironment(process.env);
  const http = createHttpClient(index);
  const lock = readWheelLock();
  const components = await pinWheels(lock, versions, (distribution) =>
    readProjectPage(distribution, index.indexUrls, http, index),
  );
  const path = fileURLToPath(new URL('../../wheels.lock.json', import.meta.url));
  await writeFile(`${path}.new`, `${JSON.stringify({ components }, null, 2)}\n`);
  await rename(`${path}.new`, path);
  const before = Object.values(lock).flat();
  const changes = Object.values(components)
    .flat()
    .filter(({ sha256 }) => before.every((wheel) => wheel.sha256 !== sha256))
    .map(({ distribution, version }) => `${distribution} ${version}`);
  const numWheels = before.length;
  process.stdout.write(
    changes.length === 0
      ? `all ${numWheels} wheels are offered as pinned\n`
      : `${path}: ${changes.join(', ')}\n`,
  );
}

function parseVersion(argument: string): [distribution: string, version: string] {
  const [, distribution, version] = /^([a-z0-9-]+)=([\w.+]+)$/.exec(argument) ?? [];
  if (distribution !== undefined && version !== undefined) return [distribution, version];
  throw new ProvisionError(
    'OPTIONS_INVALID',
    `the argument is '${argument}'; expected DISTRIBUTION=VERSION, such as ziglang=0.15.2`,
    'correct the argument',
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ProvisionError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\nwhat to do: ${error.fix}\n`);
  process.exitCode = 1;
}
