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
  | 'NOT_FOUND';

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
