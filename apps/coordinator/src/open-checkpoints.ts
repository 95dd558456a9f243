import { join } from 'node:path';
import { Checkpoints, DirectoryStorage, type CheckpointStorage } from '@skipring/checkpoint';
import type { CoordinatorOptions } from './options.js';

/** Opens the checkpoints where the options say, and removes what writers that were killed have left. */
export async function openCheckpoints({
  checkpoints,
  dataDirectory,
}: Pick<CoordinatorOptions, 'checkpoints' | 'dataDirectory'>): Promise<Checkpoints> {
  return Checkpoints.open(await storageOf(checkpoints ?? join(dataDirectory, 'checkpoints')));
}

async function storageOf(
  place: NonNullable<CoordinatorOptions['checkpoints']>,
): Promise<CheckpointStorage> {
  if (typeof place === 'string') return new DirectoryStorage(place);
  // The S3 client is large: it is loaded where it is used.
  const { S3Storage } = await import('@skipring/checkpoint/s3');
  return new S3Storage(place);
}
