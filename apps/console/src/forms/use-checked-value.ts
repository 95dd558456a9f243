import { ApiError } from '@skipring/client';
import { fieldErrors, type FieldError } from '@skipring/protocol';
import { useMemo, useState } from 'preact/hooks';
import type { z } from 'zod';
import { messageOf } from '../ui/states.js';

export interface CheckedValue<T extends z.ZodType> {
  /** What is wrong, by JSON pointer: by the schema as it is typed, and what the coordinator found. */
  readonly errors: ReadonlyMap<string, FieldError>;
  /** Errors without a field in the form, as a sentence. */
  readonly problem: string | null;
  /** Sends the value unless the schema refuses it. Resolves to whether that was done. */
  readonly send: (deliver: (value: z.input<T>) => Promise<unknown>) => Promise<boolean>;
}

/** Checks what a form holds by the schema that the coordinator has too, and keeps what that answers. */
export function useCheckedValue<T extends z.ZodType>(value: unknown, schema: T): CheckedValue<T> {
  const [wasSent, setSent] = useState(false);
  const [answer, setAnswer] = useState<{
    readonly value: unknown;
    readonly errors: readonly FieldError[];
    readonly problem: string | null;
  } | null>(null);
  const found = useMemo(() => {
    const result = schema.safeParse(value);
    return result.success ? [] : fieldErrors(result.error.issues, value);
  }, [value, schema]);
  // What the coordinator said of a value says nothing of the next one.
  const current = answer?.value === value ? answer : null;
  // What is still missing is told only after a try to send.
  const shown = [...found, ...(current?.errors ?? [])].filter(
    (error) => wasSent || error.value !== '(missing)',
  );
  const errors = new Map(shown.map((error) => [error.field, error]));

  const send: CheckedValue<T>['send'] = async (deliver) => {
    setSent(true);
    if (found.length > 0) return false;
    try {
      await deliver(value as z.input<T>);
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
