import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainDiskError } from '../errors.js';

/**
 * Copies the built binding to where the package's loader looks for it, by one rename, so that a
 * process that is loading it never sees half a file.
 *
 * @returns whether anything had to be changed.
 */
export async function installBinding(built: string, installedPath: string): Promise<boolean> {
  const wanted = await readFile(built);
  const present = await readFile(installedPath).catch(() => undefined);
  if (present?.equals(wanted) === true) return false;
  const temporary = `${installedPath}.${randomUUID()}`;
  try {
    await mkdir(dirname(installedPath), { recursive: true });
    await copyFile(built, temporary);
    await rename(temporary, installedPath);
  } catch (error) {
    throw explainDiskError(error, dirname(installedPath));
  } finally {
    await rm(temporary, { force: true });
  }
  return true;
}
