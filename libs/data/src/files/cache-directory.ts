import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** A download that has not grown for so long has lost its process; another may go on with it. */
const STALE_PARTIAL_MS = 60_000;
const COMPLETE = '.bin';
const PARTIAL = '.partial';

/**
 * Files by SHA-256 in one directory that several processes may use at once: complete ones as
 * `<sha256>.bin`, downloads as `<sha256>.<random>.partial`. Complete files are dropped least
 * recently used first; readers hold their contents in memory, so a drop never hurts them.
 */
export class CacheDirectory {
  constructor(
    readonly path: string,
    private readonly limitBytes: number,
  ) {}

  /** Where a complete file lies, if it is there. */
  completePath(sha256: string): string {
    return join(this.path, sha256 + COMPLETE);
  }

  /** A path for a download that no other process writes; takes over an abandoned one. */
  async claimPartial(sha256: string): Promise<string> {
    await mkdir(this.path, { recursive: true });
    const own = join(this.path, `${sha256}.${randomBytes(6).toString('hex')}${PARTIAL}`);
    for (const { name, idleMs } of await this.entries()) {
      if (!name.startsWith(sha256) || !name.endsWith(PARTIAL) || idleMs < STALE_PARTIAL_MS)
        continue;
      // Of several processes one succeeds in renaming; the others look on.
      const claimed = await rename(join(this.path, name), own).then(
        () => true,
        () => false,
      );
      if (claimed) break;
    }
    return own;
  }

  /** Leaves an unfinished download to whoever claims it next, at once. */
  async release(partial: string): Promise<void> {
    await utimes(partial, 0, 0).catch(() => undefined);
  }

  /** Makes a download the complete file. */
  async complete(partial: string, sha256: string): Promise<void> {
    await rename(partial, this.completePath(sha256));
  }

  async markUsed(sha256: string): Promise<void> {
    const now = new Date();
    // Another process may have dropped it meanwhile, which is no loss.
    await utimes(this.completePath(sha256), now, now).catch(() => undefined);
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  /** Drops files, least recently used first, until the directory is within its limit. */
  async evict(): Promise<void> {
    const entries = await this.entries();
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes, idleMs } of entries.sort((a, b) => b.idleMs - a.idleMs)) {
      if (total <= this.limitBytes) return;
      if (name.endsWith(PARTIAL) && idleMs < STALE_PARTIAL_MS) continue;
      await this.remove(join(this.path, name));
      total -= bytes;
    }
  }

  private async entries(): Promise<{ name: string; bytes: number; idleMs: number }[]> {
    const names = await readdir(this.path);
    const ours = names.filter((name) => name.endsWith(COMPLETE) || name.endsWith(PARTIAL));
    const found = await Promise.all(
      ours.map(async (name) => {
        const info = await stat(join(this.path, name)).catch(() => undefined);
        return info && { name, bytes: info.size, idleMs: Date.now() - info.mtimeMs };
      }),
    );
    return found.filter((entry) => entry !== undefined);
  }
}
