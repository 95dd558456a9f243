import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  byNewest,
  directoryName,
  parseDirectoryName,
  TEMPORARY_PREFIX,
} from './checkpoint-names.js';
import type { CheckpointName } from './checkpoint-names.js';
import { makeDirectory, syncDirectory, writeDurably } from './durable-files.js';
import { FILE_NAMES } from './snapshot-format.js';
import type { SnapshotParts } from './snapshot-format.js';
import { encodeManifest, MANIFEST_FILE } from './stored-checkpoint.js';
import type { CheckpointRecord } from './stored-checkpoint.js';

/** Checkpoints in one job's directory, newest first; none when there is no such directory. */
export async function listNames(job: string): Promise<CheckpointName[]> {
  const found = await readdir(job).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return found.flatMap((name) => parseDirectoryName(name) ?? []).sort(byNewest);
}

/**
 * Writes a checkpoint under a temporary name, manifest last, and renames it once all of it is on the
 * disk. One of the same name gives way.
 */
export async function writeCheckpoint(
  job: string,
  name: CheckpointName,
  record: CheckpointRecord,
  { files }: SnapshotParts,
): Promise<void> {
  const temporary = temporaryPath(job);
  await makeDirectory(job);
  await mkdir(temporary);
  try {
    for (const file of FILE_NAMES) await writeDurably(join(temporary, file), files[file]);
    await writeDurably(join(temporary, MANIFEST_FILE), encodeManifest(record));
    await syncDirectory(temporary);
    await removeCheckpoint(job, name);
    await rename(temporary, join(job, directoryName(name)));
    await syncDirectory(job);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Removes a checkpoint, if there is one, so that no part of it is ever seen as a checkpoint. */
export async function removeCheckpoint(job: string, name: CheckpointName): Promise<void> {
  const temporary = temporaryPath(job);
  try {
    await rename(join(job, directoryName(name)), temporary);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  await rm(temporary, { recursive: true, force: true });
}

/** Removes what saves and removals that were cut off have left. */
export async function removeTemporary(job: string): Promise<void> {
  for (const name of await readdir(job)) {
    if (name.startsWith(TEMPORARY_PREFIX)) await rm(join(job, name), { recursive: true });
  }
}

function temporaryPath(job: string): string {
  return join(job, TEMPORARY_PREFIX + randomUUID());
}
