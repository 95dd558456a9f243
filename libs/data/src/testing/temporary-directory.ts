import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory for one test's files. */
export class TemporaryDirectory {
  private constructor(readonly path: string) {}

  static async create(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await mkdtemp(join(tmpdir(), 'skipring-data-')));
  }

  /** Path of a name inside. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file, with its directories, and returns its path. */
  async write(name: string, content: Uint8Array | string): Promise<string> {
    const path = this.at(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
