import type { ThreadError } from './thread-messages.js';

/** An error that the other thread reported, with its stable code. */
export class RemoteThreadError extends Error {
  override readonly name = 'RemoteThreadError';
  readonly code: string;
  constructor(error: ThreadError) {
    super(error.message);
    this.code = error.code;
  }
}

/** The stable code and the message of anything thrown. */
export function describeError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { code: 'UNEXPECTED', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNEXPECTED';
  return { code, message: error.message };
}
