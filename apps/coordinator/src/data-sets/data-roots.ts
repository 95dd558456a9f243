import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { invalid } from '../http/validation.pipe.js';

/**
 * The path with links resolved, if it lies in one of the roots.
 * @throws HttpProblem REQUEST_INVALID otherwise, which does not tell whether the path exists
 */
export async function insideRoots(path: string, roots: readonly string[]): Promise<string> {
  const found = await resolved(path);
  for (const root of roots) {
    const base = await resolved(root);
    if (found !== null && base !== null && isInside(found, base)) return found;
  }
  throw invalid([
    {
      field: '/path',
      value: JSON.stringify(path).slice(0, 200),
      expected:
        roots.length === 0
          ? 'nothing: SKIPRING_DATA_ROOTS names no directory on the coordinator'
          : `a file or directory inside ${roots.join(' or ')} on the coordinator`,
    },
  ]);
}

function isInside(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith(sep) ? base : base + sep);
}

async function resolved(path: string): Promise<string | null> {
  // A zero byte makes Node throw before the file system is asked.
  return realpath(path).catch(() => null);
}
