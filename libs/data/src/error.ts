export type DataErrorCode =
  // A source file or directory
  | 'NOT_FOUND'
  | 'PATH_OUTSIDE_DIRECTORY'
  | 'UNEXPECTED_ENTRY'
  | 'READ_FAILED'
  | 'TRUNCATED'
  | 'TRAILING_BYTES'
  | 'TOO_LARGE'
  | 'WRONG_MAGIC'
  | 'DAMAGED_GZIP'
  | 'COUNT_MISMATCH'
  | 'SHAPE_MISMATCH'
  | 'UNSUPPORTED_SHAPE'
  | 'EMPTY_SPLIT'
  | 'TOO_FEW_CLASSES'
  | 'TOO_MANY_CLASSES'
  | 'INVALID_CLASS_NAME'
  | 'UNKNOWN_CLASS'
  | 'LABEL_OUT_OF_RANGE'
  | 'UNREADABLE_IMAGE'
  | 'UNSUPPORTED_IMAGE'
  // A prepared data set
  | 'DATA_SET_EXISTS'
  | 'INVALID_MANIFEST'
  | 'MANIFEST_HASH_MISMATCH'
  | 'SHARD_DAMAGED'
  | 'SHARD_FETCH_FAILED'
  | 'SHARD_FETCH_TIMEOUT'
  // Sampling and batches
  | 'INVALID_ARGUMENT'
  | 'INVALID_POSITION'
  | 'LANE_ORDER'
  | 'NOT_POSITIONED'
  | 'BATCH_TIMEOUT'
  | 'BATCH_THREAD_FAILED'
  | 'CLOSED';

/** Where in the input an error lies. */
export interface DataErrorPlace {
  /** Path or name of the file. */
  readonly file?: string;
  /** Offset in bytes from the start of the file (of its decompressed content where compressed). */
  readonly position?: number;
}

/** The data, or a request for it, is not as it must be. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly file: string | undefined;
  readonly position: number | undefined;

  /** The message is prefixed with the place: `file at byte position: message`. */
  constructor(
    readonly code: DataErrorCode,
    message: string,
    place: DataErrorPlace = {},
    options?: ErrorOptions,
  ) {
    super(placed(message, place), options);
    this.file = place.file;
    this.position = place.position;
  }
}

function placed(message: string, { file, position }: DataErrorPlace): string {
  const at = position === undefined ? '' : `at byte ${position}`;
  const where = [file, at].filter((part) => part !== undefined && part !== '').join(' ');
  return where === '' ? message : `${where}: ${message}`;
}
