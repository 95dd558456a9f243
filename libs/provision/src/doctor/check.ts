/** Whether a part of the machine is fit. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** One finding about the machine. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  /** What to do about it, unless all is well. */
  readonly fix?: string;
}

/** A check from its parts; `fix` only for what is not `ok`. */
export function check(name: string, status: CheckStatus, detail: string, fix?: string): Check {
  return status === 'ok' || fix === undefined
    ? { name, status, detail }
    : { name, status, detail, fix };
}
