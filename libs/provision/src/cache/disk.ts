import { lstat, readdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProvisionError, systemErrorCode } from '../errors.js';
import { formatBytes } from '../progress.js';

/** Bytes that this user may still write to the disk of `directory` or of its nearest parent that exists. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(directory);
    if (systemErrorCode(error) !== 'ENOENT' || parent === directory) throw error;
    return freeBytes(parent);
  }
}

/**
 * Says beforehand, not after half an hour of downloading, that a disk is too small.
 *
 * @throws ProvisionError `DISK_FULL`.
 */
export async function requireFreeBytes(
  directory: string,
  neededBytes: number,
  purpose: string,
): Promise<void> {
  const free = await freeBytes(directory);
  if (free >= neededBytes) return;
  throw new ProvisionError(
    'DISK_FULL',
    `${purpose} needs ${formatBytes(neededBytes)} on the disk of ${directory}, which has ${formatBytes(free)} left`,
    'free some space, or set SKIPRING_CACHE_DIR to a directory on a larger disk',
  );
}

/** Bytes of all files below `directory`; 0 when it does not exist. */
export async function directoryBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  let numBytes = 0;
  for (const entry of entries) {
    const path = join(directory, entry.name);
    numBytes += entry.isDirectory()
      ? await directoryBytes(path)
      : await lstat(path).then(
          (found) => found.size,
          () => 0,
        );
  }
  return numBytes;
}
