import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { FoldedForm } from './folded-form.js';
import type { JsonObject, JsonSchema } from './json-schema.js';
import { SchemaForm } from './schema-form.js';
import { useCheckedValue, type Check } from './use-checked-value.js';

interface Props<T extends z.ZodType> {
  readonly title: string;
  readonly action: string;
  /** Describes the request. */
  readonly request: T;
  /** The same at each turn, as `checkedBy` makes it of `request`. */
  readonly check: Check<z.input<T>>;
  readonly start: JsonObject;
  /** What the form holds after a request that was taken; absent: what was sent. */
  readonly next?: (schema: JsonSchema) => JsonObject;
  readonly onSend: (value: z.input<T>) => Promise<unknown>;
}

/** A form, folded away, that makes a request of what its schema describes. */
export function RequestForm<T extends z.ZodType>({
  title,
  action,
  request,
  check,
  start,
  next,
  onSend,
}: Props<T>): JSX.Element {
  const schema = useMemo(() => z.toJSONSchema(request, { io: 'input' }) as JsonSchema, [request]);
  const [value, setValue] = useState(start);
  const form = useCheckedValue(value, check);
  const send = async (): Promise<boolean> => {
    const isDone = await form.send(onSend);
    if (isDone && next !== undefined) setValue(next(schema));
    return isDone;
  };
  return (
    <FoldedForm title={title} action={action} problem={form.problem} send={send}>
      <SchemaForm
        schema={schema}
        pointer=""
        value={value}
        onChange={setValue}
        context={{ errors: form.errors, suggestions: new Map() }}
      />
    </FoldedForm>
  );
}
