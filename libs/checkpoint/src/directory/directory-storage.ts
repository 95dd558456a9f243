import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CheckpointError, damaged } from '../checkpoint-error.js';
import {
  byNewest,
  directoryName,
  parseDirectoryName,
  TEMPORARY_PREFIX,
} from '../checkpoint-names.js';
import type { CheckpointName } from '../checkpoint-names.js';
import type { CheckpointFiles, CheckpointStorage } from '../storage.js';
import { makeDirectory, syncDirectory, writeDurably } from './durable-files.js';

/** How a new file comes onto the disk; a test may have the disk full. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void>;

/**
 * Checkpoints in `ROOT/JOB_ID/step-STEP-aATTEMPT-gGENERATION/`. A checkpoint is written under a
 * temporary name and renamed once every file and the directory are on the disk.
 */
export class DirectoryStorage implements CheckpointStorage {
  private readonly root: string;

  constructor(
    root: string,
    private readonly writeFile: WriteFile = writeDurably,
  ) {
    this.root = resolve(root);
  }

  /** Creates the root as well, if need be. */
  async cleanUp(): Promise<void> {
    await makeDirectory(this.root);
    for (const job of await readdir(this.root, { withFileTypes: true })) {
      if (!job.isDirectory()) continue;
      const path = join(this.root, job.name);
      for (const name of await readdir(path)) {
        if (name.startsWith(TEMPORARY_PREFIX)) await rm(join(path, name), { recursive: true });
      }
    }
  }

  async list(jobId: string): Promise<CheckpointName[]> {
    const found = await readdir(this.jobPath(jobId)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw failed(error);
    });
    return found.flatMap((name) => parseDirectoryName(name) ?? []).sort(byNewest);
  }

  async write(jobId: string, name: CheckpointName, files: CheckpointFiles): Promise<void> {
    const temporary = this.temporaryPath(jobId);
    try {
      await makeDirectory(this.jobPath(jobId));
      await mkdir(temporary);
      for (const [file, bytes] of files) await this.writeFile(join(temporary, file), bytes);
      await syncDirectory(temporary);
      await this.remove(jobId, name);
      await rename(temporary, this.locate(jobId, name));
      await syncDirectory(this.jobPath(jobId));
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw failed(error);
    }
  }

  async read(jobId: string, name: CheckpointName, file: string): Promise<Uint8Array> {
    const path = this.locate(jobId, name, file);
    try {
      return await readFile(path);
    } catch (cause) {
      throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  async remove(jobId: string, name: CheckpointName): Promise<void> {
    const temporary = this.temporaryPath(jobId);
    try {
      await rename(this.locate(jobId, name), temporary);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw failed(error);
    }
    await rm(temporary, { recursive: true, force: true });
  }

  async removeAll(jobId: string): Promise<void> {
    await rm(this.jobPath(jobId), { recursive: true, force: true });
  }

  locate(jobId: string, name: CheckpointName, file?: string): string {
    const directory = join(this.jobPath(jobId), directoryName(name));
    return file === undefined ? directory : join(directory, file);
  }

  close(): void {
    // Nothing is held open between operations.
  }

  private jobPath(jobId: string): string {
    return join(this.root, jobId);
  }

  private temporaryPath(jobId: string): string {
    return join(this.jobPath(jobId), TEMPORARY_PREFIX + randomUUID());
  }
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

function failed(error: unknown): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const isFull = ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
  const why = error instanceof Error ? error.message : String(error);
  return new CheckpointError(isFull ? 'STORAGE_FULL' : 'STORAGE_FAILED', why, { cause: error });
}
