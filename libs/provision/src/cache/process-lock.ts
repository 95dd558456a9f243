import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainDiskError, ProvisionError, systemErrorCode } from '../errors.js';
import { identify, isAlive, parseIdentity } from './process-identity.js';

/** How long to wait for a lock, and what to say meanwhile. */
export interface LockOptions {
  readonly deadlineMs: number;
  /** Told once, with the holder's PID when it is known, before the wait begins. */
  readonly onWait?: (holderPid: number | undefined) => void;
}

/** A lock that is held until `release`. */
export interface ProcessLock {
  release(): Promise<void>;
}

const POLL_MS = 100;
/** The holder touches its lock this often ... */
const HEARTBEAT_MS = 5_000;
/** ... and one that was not touched for this long is stale if its holder cannot be looked up. */
const STALE_MS = 60_000;
/** Breaking a stale lock takes milliseconds; a guard older than this was left by a crash. */
const GUARD_STALE_MS = 10_000;

/**
 * Takes the lock file at `path`, which excludes every other process that uses the same path, also
 * one in another container that shares the directory. A lock whose holder has died is broken: at
 * once where the holder's PID can be looked up, else after a minute without a heartbeat.
 *
 * @throws ProvisionError `LOCK_TIMEOUT` when the deadline passes.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<ProcessLock> {
  const content = JSON.stringify({ ...identify(process.pid), token: randomUUID() });
  const deadline = Date.now() + options.deadlineMs;
  let told = false;
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw explainDiskError(error, dirname(path));
  });
  for (;;) {
    try {
      await writeFile(path, content, { flag: 'wx' });
      return held(path, content);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw explainDiskError(error, dirname(path));
    }
    const seen = await read(path);
    if (seen === undefined) continue;
    if (await isStale(path, seen)) {
      await breakLock(path, seen);
      continue;
    }
    const holderPid = parseIdentity(seen)?.pid;
    if (Date.now() >= deadline) {
      throw new ProvisionError(
        'LOCK_TIMEOUT',
        `${path} is held by process ${holderPid ?? 'unknown'} for more than ${options.deadlineMs} ms`,
        'wait for the other process to end, or end it',
      );
    }
    if (!told) options.onWait?.(holderPid);
    told = true;
    await sleep(POLL_MS);
  }
}

/** Runs `body` while the lock is held. */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  body: () => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(path, options);
  try {
    return await body();
  } finally {
    await lock.release();
  }
}

function held(path: string, content: string): ProcessLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    // The lock may have been removed by hand; then there is nothing to keep alive.
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      if ((await read(path)) === content) await rm(path, { force: true });
    },
  };
}

async function isStale(path: string, content: string): Promise<boolean> {
  const holder = parseIdentity(content);
  const alive = holder && isAlive(holder);
  if (alive !== undefined) return !alive;
  return (await ageMs(path)) > STALE_MS;
}

/** Removes the lock if it still is the one that was seen; a guard lets one process at a time try. */
async function breakLock(path: string, seen: string): Promise<void> {
  const guard = `${path}.guard`;
  try {
    await mkdir(guard);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw explainDiskError(error, dirname(path));
    if ((await ageMs(guard)) > GUARD_STALE_MS) await rmdir(guard).catch(() => undefined);
    await sleep(POLL_MS);
    return;
  }
  try {
    if ((await read(path)) === seen) await rm(path, { force: true });
  } finally {
    await rmdir(guard);
  }
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Age of the last change in ms; 0 for a file that is gone. */
async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
}
