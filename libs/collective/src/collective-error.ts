export type CollectiveErrorCode =
  /** A collective or a connection was not complete in time. */
  | 'DEADLINE'
  /** A neighbour's socket closed or broke. */
  | 'PEER_CLOSED'
  /** A neighbour gave no sign of life for too long, though its socket is open. */
  | 'PEER_SILENT'
  /** A segment was passed over: a later one of its collective came. */
  | 'SEGMENT_LOST'
  /** A frame, dial or membership is older than what this rank knows. */
  | 'STALE_GENERATION'
  /** Another rank failed and said so; `rank` and `originCode` say which and how. */
  | 'ABORTED'
  /** A frame's bytes differ from what was sent. */
  | 'CHECKSUM'
  /** A peer broke the frame format, or the ranks called different collectives. */
  | 'PROTOCOL'
  /** A frame is larger than the receiver's limit. */
  | 'FRAME_TOO_LARGE'
  /** A peer refused the ring token. */
  | 'UNAUTHORIZED'
  /** This rank closed the transport itself. */
  | 'CLOSED'
  /** A caller's option is out of range. */
  | 'INVALID_ARGUMENT';

export interface CollectiveErrorOptions extends ErrorOptions {
  /** The rank where it came to light: for PEER_CLOSED the one that is gone, else who noticed. */
  readonly rank?: number;
  /** With code ABORTED: the code of the error that the other rank had. */
  readonly originCode?: string;
}

/** Why a transport failed. After the first one no collective of that generation succeeds. */
export class CollectiveError extends Error {
  override readonly name = 'CollectiveError';
  readonly rank?: number;
  readonly originCode?: string;

  constructor(
    readonly code: CollectiveErrorCode,
    message: string,
    options: CollectiveErrorOptions = {},
  ) {
    super(message, options);
    if (options.rank !== undefined) this.rank = options.rank;
    if (options.originCode !== undefined) this.originCode = options.originCode;
  }
}

/** Wraps whatever was thrown; an error of ours is passed on as it is. */
export function toCollectiveError(thrown: unknown): CollectiveError {
  if (thrown instanceof CollectiveError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CollectiveError('PROTOCOL', message, { cause: thrown });
}
