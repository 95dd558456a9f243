import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify, isAlive } from './process-identity.js';
import { acquireLock, withLock } from './process-lock.js';

describe('process lock', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-lock-'));
    path = join(directory, 'sub', 'a.lock');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('lets one body run at a time and leaves no file', async () => {
    let numInside = 0;
    let maxInside = 0;
    const body = async (): Promise<void> => {
      numInside += 1;
      maxInside = Math.max(maxInside, numInside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      numInside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, { deadlineMs: 30_000 }, body)));
    expect(maxInside).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it('names the holder and ends at the deadline', async () => {
    const lock = await acquireLock(path, { deadlineMs: 1000 });
    const told: unknown[] = [];
    await expect(
      acquireLock(path, { deadlineMs: 50, onWait: (pid) => told.push(pid) }),
    ).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await expect(
      acquireLock(path, { deadlineMs: 250, onWait: (pid) => told.push(pid) }),
    ).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(told).toContain(process.pid);
    await lock.release();
  });

  it('breaks the lock of a process that has died', async () => {
    const me = identify(process.pid)!;
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await withLock(path, { deadlineMs: 1000 }, () => Promise.resolve());
    await writeFile(path, JSON.stringify({ ...me, pid: dead, token: 'x' }));
    const lock = await acquireLock(path, { deadlineMs: 1000 });
    expect(await readFile(path, 'utf8')).toContain(`"pid":${process.pid}`);
    await lock.release();
  });

  it('breaks the lock of an earlier process with the same number', async () => {
    const me = identify(process.pid)!;
    await withLock(path, { deadlineMs: 1000 }, () => Promise.resolve());
    await writeFile(path, JSON.stringify({ ...me, startTicks: '1', token: 'x' }));
    await (await acquireLock(path, { deadlineMs: 1000 })).release();
  });

  it('judges a lock from another container by its heartbeat', async () => {
    const foreign = { ...identify(process.pid)!, scope: 'elsewhere', token: 'x' };
    expect(isAlive(foreign)).toBeUndefined();
    await withLock(path, { deadlineMs: 1000 }, () => Promise.resolve());
    await writeFile(path, JSON.stringify(foreign));
    await expect(acquireLock(path, { deadlineMs: 10 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    });
    const longAgo = new Date(Date.now() - 120_000);
    await utimes(path, longAgo, longAgo);
    await (await acquireLock(path, { deadlineMs: 1000 })).release();
  });

  it('does not remove a lock that another process has taken over', async () => {
    const lock = await acquireLock(path, { deadlineMs: 1000 });
    await writeFile(path, 'of another');
    await lock.release();
    expect(await readFile(path, 'utf8')).toBe('of another');
  });
});
