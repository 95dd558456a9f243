import { ApiError, ConnectionError } from '@skipring/client';
import type { FieldError } from '@skipring/protocol';
import { ProvisionError } from '@skipring/provision';
import { CommandError, EXIT } from './exit-codes.js';

export interface ErrorText {
  readonly exitCode: number;
  readonly message: string;
  /** What to do next; null when there is nothing to say. */
  readonly hint: string | null;
}

const HINTS: Readonly<Record<string, string>> = {
  FORBIDDEN: 'skipring whoami says whose token is used; an admin makes others',
  QUOTA_EXCEEDED: 'cancel a job that is not needed, or ask an admin for more',
  RATE_LIMITED: 'try again in a second',
  SWEEP_UNKNOWN: 'skipring sweep list',
  TOKEN_UNKNOWN: 'skipring token list',
  TOKEN_EXISTS: 'skipring token rotate NAME gives it a new secret',
  WEBHOOK_UNKNOWN: 'skipring webhook list',
  WEBHOOK_EXISTS: 'choose another name, or skipring webhook delete NAME first',
  UNAUTHORIZED: 'give the token with --token or SKIPRING_TOKEN; `skipring up` keeps its own',
  JOB_UNKNOWN: 'skipring list',
  DATA_SET_UNKNOWN: 'skipring dataset list',
  WORKER_UNKNOWN: 'skipring workers',
};

/** What a command that ended with this error says, and its exit code. */
export function describeError(error: unknown, interrupted: boolean): ErrorText {
  if (error instanceof CommandError) {
    return { exitCode: error.exitCode, message: error.message, hint: error.hint };
  }
  // Whatever an interrupted command fails with, it is because of that.
  if (interrupted) return { exitCode: EXIT.interrupted, message: 'interrupted', hint: null };
  if (error instanceof ApiError) {
    const { title, detail, errors = [] } = error.problem;
    // The detail of a problem with fields says what the lines say.
    const what = errors.length === 0 ? detail : title;
    return {
      exitCode: EXIT.refused,
      message: `${what} (${error.code})${fieldLines(errors)}`,
      hint: HINTS[error.code] ?? null,
    };
  }
  if (error instanceof ConnectionError) {
    return {
      exitCode: EXIT.connection,
      message: error.message,
      hint: 'is it running? `skipring up` starts one; `skipring doctor` looks at this machine',
    };
  }
  if (error instanceof ProvisionError) {
    return { exitCode: EXIT.environment, message: error.message, hint: error.fix };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: EXIT.unexpected, message, hint: 'skipring doctor' };
}

/**
 * Problems of fields, each on a line of its own.
 * @param place where a field stands in a file, by its pointer
 */
export function fieldLines(
  errors: readonly FieldError[],
  place: (pointer: string) => string | null = () => null,
): string {
  return errors
    .map(({ field, value, expected }) => {
      const name = field.replace(/^\//, '').replaceAll('/', '.') || '(all of it)';
      const where = place(field);
      return `\n  ${where === null ? '' : `${where} `}${name}: ${value}: ${expected === 'no such field' ? '' : 'expected '}${expected}`;
    })
    .join('');
}
