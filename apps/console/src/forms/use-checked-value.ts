import { ApiError } from '@skipring/client';
import { fieldErrors, type FieldError } from '@skipring/protocol';
import { useMemo, useState } from 'preact/hooks';
import type { z } from 'zod';
import { messageOf } from '../ui/states.js';

/** What is wrong with a value; none: it is an `Input`. */
export type Check<Input> = ((value: unknown) => readonly FieldError[]) & {
  /** Only to carry the type. */
  readonly input?: Input;
};

/** A check by the schema that the coordinator has too. */
export function checkedBy<T extends z.ZodType>(schema: T): Check<z.input<T>> {
  return (value) => {
    const result = schema.safeParse(value);
    return result.success ? [] : fieldErrors(result.error.issues, value);
  };
}

export interface CheckedValue<Input> {
  /** What is wrong, by JSON pointer: by the check as it is typed, and what the coordinator found. */
  readonly errors: ReadonlyMap<string, FieldError>;
  /** Errors without a field in the form, as a sentence. */
  readonly problem: string | null;
  /** Sends the value unless the check refuses it. Resolves to whether that was done. */
  readonly send: (deliver: (value: Input) => Promise<unknown>) => Promise<boolean>;
}

/** Checks what a form holds, and keeps what the coordinator answers to it. */
export function useCheckedValue<Input>(value: unknown, check: Check<Input>): CheckedValue<Input> {
  const [wasSent, setSent] = useState(false);
  const [answer, setAnswer] = useState<{
    readonly value: unknown;
    readonly errors: readonly FieldError[];
    readonly problem: string | null;
  } | null>(null);
  const found = useMemo(() => check(value), [value, check]);
  // What the coordinator said of a value says nothing of the next one.
  const current = answer?.value === value ? answer : null;
  // What is still missing is told only after a try to send.
  const shown = [...found, ...(current?.errors ?? [])].filter(
    (error) => wasSent || error.value !== '(missing)',
  );
  const errors = new Map(shown.map((error) => [error.field, error]));

  const send: CheckedValue<Input>['send'] = async (deliver) => {
    setSent(true);
    if (found.length > 0) return false;
    try {
      await deliver(value as Input);
      setSent(false);
      return true;
    } catch (error) {
      const { errors: told = [] } = error instanceof ApiError ? error.problem : {};
      setAnswer({ value, errors: told, problem: told.length === 0 ? messageOf(error) : null });
      return false;
    }
  };
  const whole = errors.get('');
  const problem = current?.problem ?? (whole === undefined ? null : `expected ${whole.expected}`);
  return { errors, problem, send };
}
