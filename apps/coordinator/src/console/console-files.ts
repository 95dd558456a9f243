import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, posix, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};
/** Names of files below it carry a hash of their content. */
const HASHED = '/assets/';
const FOREVER = 'public, max-age=31536000, immutable';
/** May be kept, and is asked after each time. */
const CHECKED = 'no-cache';

/** A file of the console as it is sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
}

/**
 * Every file of the built console by its path in an address. All are read now, they are few and small:
 * a request is looked up, and never becomes a path of the file system.
 *
 * @returns empty when the console was not built
 */
export function readConsole(directory: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const entry of list(directory)) {
    const type = TYPES[extname(entry)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(directory, entry));
    const path = `/${entry.split(sep).join(posix.sep)}`;
    files.set(path, {
      type,
      cacheControl: path.startsWith(HASHED) ? FOREVER : CHECKED,
      etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
      bytes,
      gzipped: gzipSync(bytes),
    });
  }
  return files;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
