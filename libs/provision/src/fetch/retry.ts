import { setTimeout as sleep } from 'node:timers/promises';
import { ProvisionError, systemErrorCode } from '../errors.js';

const MAX_DELAY_MS = 15_000;

/** How often and how soon a failed transfer is tried again. */
export interface RetryOptions {
  readonly maxAttempts: number;
  readonly backoffMs: number;
}

/** Told to `retrying` by the body when an attempt got further than the one before it. */
export interface Attempt {
  progressed(): void;
}

/**
 * Runs `body` until it succeeds, with exponential back-off and jitter (0.5 to 1 of the delay).
 * An attempt that made progress starts the count again, so that a long download over a poor line
 * ends; a final error (a wrong hash, a full disk, status 404) is thrown at once.
 */
export async function retrying<T>(
  { maxAttempts, backoffMs }: RetryOptions,
  body: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  let numFailures = 0;
  for (;;) {
    let progressed = false;
    try {
      return await body({
        progressed: () => {
          progressed = true;
        },
      });
    } catch (error) {
      numFailures = progressed ? 1 : numFailures + 1;
      if (isFinal(error) || numFailures >= maxAttempts) throw error;
      const delayMs = Math.min(MAX_DELAY_MS, backoffMs * 2 ** (numFailures - 1));
      await sleep(delayMs * (0.5 + Math.random() / 2));
    }
  }
}

const TRANSIENT_SYSTEM_ERRORS = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_EOF_STATE',
]);

function isFinal(error: unknown): boolean {
  if (error instanceof ProvisionError) {
    return error.code !== 'DOWNLOAD_STALLED' && error.code !== 'DOWNLOAD_FAILED';
  }
  const code = systemErrorCode(error);
  // Certificate errors and full disks do not pass by waiting.
  return code === undefined || !TRANSIENT_SYSTEM_ERRORS.has(code);
}
