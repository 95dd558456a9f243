import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SkipringClient } from '@skipring/client';
import type { DataSetRegistrationInput } from '@skipring/protocol';
import { CommandError, EXIT } from '../exit-codes.js';
import { systemReason } from '../system-reason.js';

/** For who has no data: the generated set. */
export const GENERATED = { name: 'glyphs', format: 'glyphs' } as const;
const GIVEN = 'fashion-mnist';
const GIVEN_NAME = /^fashion-mnist(-[0-9a-f]{8})?$/;

export type FolderRegistration = Extract<DataSetRegistrationInput, { format: 'idx' }>;

/**
 * The folder as a data set. Its name is made from what is in the folder, so that another folder, or
 * one that has changed, is never taken for a set that was prepared before.
 * @throws CommandError `usage` when there is no such folder
 */
export async function dataFromFolder(path: string): Promise<FolderRegistration> {
  try {
    const folder = await realpath(path);
    const hash = createHash('sha256').update(folder);
    for (const name of (await readdir(folder)).sort()) {
      const { size, mtimeMs } = await stat(join(folder, name));
      hash.update(JSON.stringify([name, size, mtimeMs]));
    }
    const name = `${GIVEN}-${hash.digest('hex').slice(0, 8)}`;
    return { name, format: 'idx', path: folder };
  } catch (cause) {
    throw new CommandError(EXIT.usage, `--data ${path}: ${folderReason(cause)}`, null, { cause });
  }
}

/** The name of Fashion-MNIST where it was prepared earlier, of the newest one; else null. */
export async function preparedEarlier(
  client: Pick<SkipringClient, 'dataSets'>,
): Promise<string | null> {
  const [newest] = (await client.dataSets())
    .filter(({ name, state }) => state === 'ready' && GIVEN_NAME.test(name))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return newest?.name ?? null;
}

function folderReason(error: unknown): string {
  const { code } = error as { code?: string };
  return code === 'ENOTDIR' ? 'expected a folder' : systemReason(error);
}
