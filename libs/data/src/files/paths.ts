import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DataError } from '../error.js';

/**
 * Path of the first of `names` that is a file in `directory`, with links resolved.
 *
 * @throws DataError NOT_FOUND if there is none; PATH_OUTSIDE_DIRECTORY if a link leads out of
 *   `directory`
 */
export async function requireFile(directory: string, ...names: string[]): Promise<string> {
  const path = await findFile(directory, ...names);
  if (path === undefined) {
    throw new DataError('NOT_FOUND', `expected a file ${names.join(' or ')}`, { file: directory });
  }
  return path;
}

/** As `requireFile`, with undefined where there is none. */
export async function findFile(directory: string, ...names: string[]): Promise<string | undefined> {
  const root = await requireDirectory(directory);
  for (const name of names) {
    const path = await resolved(join(root, name));
    if (path === undefined || !(await stat(path)).isFile()) continue;
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new DataError(
        'PATH_OUTSIDE_DIRECTORY',
        `is a link to ${path}; expected a file inside`,
        {
          file: join(directory, name),
        },
      );
    }
    return path;
  }
  return undefined;
}

/** The directory with links resolved; throws DataError NOT_FOUND if it is not one. */
export async function requireDirectory(path: string): Promise<string> {
  const root = await resolved(path);
  if (root === undefined || !(await stat(root)).isDirectory()) {
    throw new DataError('NOT_FOUND', 'expected a directory', { file: path });
  }
  return root;
}

async function resolved(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DataError(
      'READ_FAILED',
      `cannot be opened (${code})`,
      { file: path },
      { cause: error },
    );
  }
}
