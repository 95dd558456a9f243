/**
 * What went wrong, for programs. Stable: scripts and tests may compare them.
 */
export type ProvisionErrorCode =
  | 'ARCHIVE_INVALID'
  | 'BINDING_LOAD_FAILED'
  | 'COMPILE_FAILED'
  | 'DISK_FULL'
  | 'DOWNLOAD_FAILED'
  | 'DOWNLOAD_STALLED'
  | 'GPU_NOT_FOUND'
  | 'HASH_MISMATCH'
  | 'INDEX_UNREACHABLE'
  | 'LOCK_TIMEOUT'
  | 'OPTIONS_INVALID'
  | 'REDIS_DATA_DIR_IN_USE'
  | 'REDIS_NOT_FOUND'
  | 'REDIS_START_FAILED'
  | 'TFJS_MISSING'
  | 'UNSUPPORTED_ARCHITECTURE'
  | 'UNSUPPORTED_CPU'
  | 'UNSUPPORTED_GLIBC'
  | 'UNSUPPORTED_LIBC'
  | 'UNSUPPORTED_NODE'
  | 'UNSUPPORTED_PLATFORM'
  | 'WHEEL_LOCK_INVALID'
  | 'WHEEL_NOT_FOUND';

/**
 * Set-up could not go on. `message` says what is missing, `fix` what a person can do about it.
 */
export class ProvisionError extends Error {
  readonly code: ProvisionErrorCode;
  readonly fix: string;

  constructor(code: ProvisionErrorCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProvisionError';
    this.code = code;
    this.fix = fix;
  }
}

/** The `code` of a system error (`ENOENT`, `ENOSPC`, ...), or `undefined` for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** The message of anything that can be thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Turns "no space left" into an error that says where; every other error is returned unchanged. */
export function explainDiskError(error: unknown, directory: string): unknown {
  const code = systemErrorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new ProvisionError(
    'DISK_FULL',
    `no space left on the disk that holds ${directory} (${code})`,
    'free some space, or set SKIPRING_CACHE_DIR to a directory on a larger disk',
    { cause: error },
  );
}
