export type StoreErrorCode =
  /** Redis cannot be reached, or did not answer in time. The same call may succeed later. */
  | 'STORE_UNAVAILABLE'
  /** An idempotency key that was used before with another request. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** Another coordinator leads: nothing was written. */
  | 'LEADERSHIP_LOST'
  /** A token's holder uses all that it may; the message says of what. */
  | 'QUOTA_EXCEEDED'
  /** A stored value that is not of this version; the message names the key. */
  | 'STORE_CORRUPT';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Errors of ioredis that mean "not reached" rather than "refused". */
const UNREACHED = [
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
  'AbortError',
  'TimeoutError',
];
const UNREACHED_MESSAGES = [
  'Command timed out',
  'Connection is closed',
  "Stream isn't writeable",
  'LOADING ',
  'MASTERDOWN ',
  'READONLY ',
];

/** Turns an error of ioredis into a StoreError where it means that Redis is away. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const away =
    UNREACHED.includes(error.name) ||
    UNREACHED_MESSAGES.some((start) => error.message.startsWith(start)) ||
    (code !== undefined && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST)/.test(code));
  if (!away) return error;
  return new StoreError('STORE_UNAVAILABLE', `Redis did not answer: ${error.message}`, {
    cause: error,
  });
}

/** Runs commands; throws STORE_UNAVAILABLE where Redis is away. */
export async function run<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    throw toStoreError(error);
  }
}
