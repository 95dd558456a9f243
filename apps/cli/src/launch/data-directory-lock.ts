import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireLock, ProvisionError, type ProcessLock } from '@skipring/provision';
import { CommandError, EXIT } from '../exit-codes.js';

/**
 * One cluster at a time works in a data directory. A lock that a killed one left is broken.
 * @throws CommandError `environment` when another one works there
 */
export async function lockDataDirectory(directory: string): Promise<ProcessLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let holder: number | undefined;
  try {
    return await acquireLock(join(directory, 'up.lock'), {
      deadlineMs: 500,
      onWait(pid) {
        holder = pid;
      },
    });
  } catch (error) {
    if (!(error instanceof ProvisionError && error.code === 'LOCK_TIMEOUT')) throw error;
    throw new CommandError(
      EXIT.environment,
      `a cluster already runs in ${directory}${holder === undefined ? '' : ` (process ${holder})`}`,
      'stop it first, or give another --data-dir',
      { cause: error },
    );
  }
}
