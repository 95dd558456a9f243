import { randomBytes } from 'node:crypto';

/** Abstract: it names no file, and is gone with the process that listens. */
const PREFIX = '\0skipring-ring-';

/**
 * A name for a listener's local socket that nobody guesses, and so nobody else can take before its
 * owner; null where sockets have no abstract names.
 */
export function newLocalName(): string | null {
  return process.platform === 'linux' ? randomBytes(16).toString('hex') : null;
}

/** What `node:net` takes as a path. */
export function localPath(name: string): string {
  return PREFIX + name;
}
