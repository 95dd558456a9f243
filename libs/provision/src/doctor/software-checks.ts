import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findBindingPackages } from '../binding/package.js';
import { probeBinding } from '../binding/probe.js';
import { directoryBytes, freeBytes } from '../cache/disk.js';
import { errorMessage, ProvisionError, systemErrorCode } from '../errors.js';
import type { ProvisionOptions } from '../options/options.js';
import { formatBytes } from '../progress.js';
import { findRedisServer } from '../redis/find-redis.js';
import { check, type Check } from './check.js';

const RUN_SETUP = 'run npm run setup';
/** A checkpoint of a ResNet-50 with its optimizer is 0.2 GB, and several are kept. */
const COMFORTABLE_FREE_BYTES = 2e9;

/** Loads TensorFlow in a process of its own. */
export async function tensorflowCheck(options: ProvisionOptions): Promise<Check> {
  try {
    const { installedPath } = findBindingPackages(options.packageRoot);
    if (!existsSync(installedPath)) {
      return check('TensorFlow', 'fail', 'the binding is not built', RUN_SETUP);
    }
    const { tensorflowVersion, usesGpu } = await probeBinding(options.packageRoot);
    const status = options.device === 'gpu' && !usesGpu ? 'fail' : 'ok';
    return check(
      'TensorFlow',
      status,
      `${tensorflowVersion} on the ${usesGpu ? 'GPU' : 'CPU'}`,
      'check the NVIDIA driver with nvidia-smi, then run npm run setup',
    );
  } catch (error) {
    const fix = error instanceof ProvisionError ? error.fix : RUN_SETUP;
    return check('TensorFlow', 'fail', errorMessage(error), fix);
  }
}

/** Whether there is a Redis server that can be started. */
export async function redisCheck(options: ProvisionOptions): Promise<Check> {
  const redis = await findRedisServer(options);
  return redis
    ? check('Redis', 'ok', `${redis.version} (${redis.source}: ${redis.path})`)
    : check('Redis', 'fail', 'no server found', `${RUN_SETUP}, or give REDIS_URL`);
}

/** Where the cache is and how much each part of it takes. */
export async function cacheCheck({ cacheDir }: ProvisionOptions): Promise<Check> {
  const names = await readdir(cacheDir).catch(() => []);
  if (names.length === 0) return check('cache', 'warn', `${cacheDir} is empty`, RUN_SETUP);
  const parts = await Promise.all(
    names.sort().map(async (name) => ({ name, bytes: await directoryBytes(join(cacheDir, name)) })),
  );
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  const list = parts
    .filter((part) => part.bytes > 0)
    .map((part) => `${part.name} ${formatBytes(part.bytes)}`);
  return check('cache', 'ok', `${cacheDir}, ${formatBytes(total)}: ${list.join(', ')}`);
}

/** Space left on the disk of `directory`. */
export async function diskCheck(name: string, directory: string): Promise<Check> {
  const free = await freeBytes(directory);
  return check(
    name,
    free >= COMFORTABLE_FREE_BYTES ? 'ok' : 'warn',
    `${formatBytes(free)} free for ${directory}`,
    'free some space, or choose a directory on a larger disk',
  );
}

/** Whether a server can listen on the loopback port `port`. */
export async function portCheck(port: number): Promise<Check> {
  const code = await new Promise<string | undefined>((settle) => {
    const probe = createServer();
    probe.once('error', (error) => {
      settle(systemErrorCode(error) ?? error.message);
    });
    probe.listen({ port, host: '127.0.0.1' }, () => {
      probe.close(() => {
        settle(undefined);
      });
    });
  });
  return code === undefined
    ? check(`port ${port}`, 'ok', 'free')
    : check(`port ${port}`, 'warn', `not free (${code})`, 'stop what uses it or choose another');
}
