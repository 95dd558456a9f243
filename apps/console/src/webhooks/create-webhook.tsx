import { webhookRequestSchema, type NewWebhook } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { useClient } from '../client-context.js';
import { FoldedForm } from '../forms/folded-form.js';
import type { JsonObject, JsonSchema } from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { checkedBy, useCheckedValue } from '../forms/use-checked-value.js';

const check = checkedBy(webhookRequestSchema);

/** Registers a webhook: where changes of jobs are told, and which. */
export function CreateWebhook({
  onCreated,
}: {
  readonly onCreated: (webhook: NewWebhook) => void;
}): JSX.Element {
  const client = useClient();
  const schema = useMemo(
    () => z.toJSONSchema(webhookRequestSchema, { io: 'input' }) as JsonSchema,
    [],
  );
  const [value, setValue] = useState<JsonObject>({});
  const form = useCheckedValue(value, check);
  const send = async (): Promise<boolean> => {
    const isDone = await form.send(async (request) => {
      onCreated(await client.createWebhook(request));
    });
    if (isDone) setValue({});
    return isDone;
  };
  return (
    <FoldedForm title="Add a webhook" action="Add" problem={form.problem} send={send}>
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
