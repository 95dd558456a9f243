import { S3ServiceException } from '@aws-sdk/client-s3';
import { CheckpointError } from '../checkpoint-error.js';

/** HTTP 507, and what servers call it that have no room left, or no more for this user. */
const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'XMinioStorageFull']);

export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && error.name === 'NoSuchKey';
}

export function isNotImplemented(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return error.name === 'NotImplemented' || error.$metadata.httpStatusCode === 501;
}

/** What a failed request is told as. @param path what it was about */
export function storageError(path: string, error: unknown): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: '' };
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const code = status === 507 || FULL.has(name) ? 'STORAGE_FULL' : 'STORAGE_FAILED';
  return new CheckpointError(code, `${path}: ${name}: ${message}`, { cause: error });
}
