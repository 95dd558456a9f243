import { tokenRequestSchema, type NewToken } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { useClient } from '../client-context.js';
import { FoldedForm } from '../forms/folded-form.js';
import { withField, type JsonObject, type JsonSchema } from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { Field } from '../forms/simple-control.js';
import { checkedBy, useCheckedValue } from '../forms/use-checked-value.js';

const DAY_MS = 86_400_000;
const LIFETIMES: readonly (readonly [title: string, ms: number | null])[] = [
  ['1 day', DAY_MS],
  ['7 days', 7 * DAY_MS],
  ['30 days', 30 * DAY_MS],
  ['90 days', 90 * DAY_MS],
  ['1 year', 365 * DAY_MS],
  ['never', null],
];
const START: JsonObject = { role: 'submitter', expiresInMs: 90 * DAY_MS };
const EXPIRY = '/expiresInMs';
const check = checkedBy(tokenRequestSchema);

/** Makes a token: its name, what it may do, for how long, and how much at most. */
export function CreateToken({
  onCreated,
}: {
  readonly onCreated: (token: NewToken) => void;
}): JSX.Element {
  const client = useClient();
  const schema = useMemo(
    () =>
      z.toJSONSchema(tokenRequestSchema.omit({ expiresInMs: true }), { io: 'input' }) as JsonSchema,
    [],
  );
  const [value, setValue] = useState(START);
  const form = useCheckedValue(value, check);
  const send = async (): Promise<boolean> => {
    const isDone = await form.send(async (request) => {
      onCreated(await client.createToken(request));
    });
    if (isDone) setValue(START);
    return isDone;
  };
  const context = { errors: form.errors, suggestions: new Map<string, readonly string[]>() };
  return (
    <FoldedForm title="Create a token" action="Create" problem={form.problem} send={send}>
      <SchemaForm schema={schema} pointer="" value={value} onChange={setValue} context={context} />
      <Field
        name="expires"
        pointer={EXPIRY}
        isRequired
        description="a rotation begins this time anew"
        context={context}
      >
        {(attributes) => (
          <select
            {...attributes}
            value={String(value.expiresInMs)}
            onChange={(event) => {
              const chosen = JSON.parse(event.currentTarget.value) as number | null;
              setValue(withField(value, 'expiresInMs', chosen));
            }}
          >
            {LIFETIMES.map(([title, ms]) => (
              <option key={title} value={String(ms)}>
                {ms === null ? title : `in ${title}`}
              </option>
            ))}
          </select>
        )}
      </Field>
    </FoldedForm>
  );
}
