export type CheckpointErrorCode =
  /** Bytes are not a safetensors file of float32 tensors. */
  | 'INVALID_SAFETENSORS'
  /** Bytes are not a snapshot, or not what its manifest says. */
  | 'INVALID_SNAPSHOT'
  /** A job id that may not be part of a path. */
  | 'UNSAFE_ID'
  /** A save by an attempt or generation that a later one has replaced. */
  | 'STALE_FENCE'
  /** A stored checkpoint whose files are not what was saved; the message names the file. */
  | 'DAMAGED_CHECKPOINT'
  | 'NOT_FOUND'
  /** A place for checkpoints that is none. */
  | 'INVALID_LOCATION'
  /** No space is left where checkpoints are stored. */
  | 'STORAGE_FULL'
  /** The storage does not answer, or refuses. */
  | 'STORAGE_FAILED';

export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  constructor(
    readonly code: CheckpointErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a stored file that is not what was saved is told as. */
export function damaged(path: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError('DAMAGED_CHECKPOINT', `${path} is damaged: ${why}`, { cause });
}
