import { webhookRequestSchema, type WebhookView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { useClient } from '../client-context.js';
import { FoldedForm } from '../forms/folded-form.js';
import type { JsonObject, JsonSchema } from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { checkedBy, useCheckedValue } from '../forms/use-checked-value.js';

const changeSchema = webhookRequestSchema.pick({ url: true, states: true });
const check = checkedBy(changeSchema);

/** Changes where a webhook tells changes of jobs, and which. */
export function ChangeWebhook({
  webhook: { name, url, states },
  onChanged,
}: {
  readonly webhook: WebhookView;
  readonly onChanged: () => void;
}): JSX.Element {
  const client = useClient();
  const schema = useMemo(() => z.toJSONSchema(changeSchema, { io: 'input' }) as JsonSchema, []);
  const [value, setValue] = useState<JsonObject>({ url, states });
  const form = useCheckedValue(value, check);
  const send = async (): Promise<boolean> => {
    const isDone = await form.send((change) => client.changeWebhook(name, change));
    if (isDone) onChanged();
    return isDone;
  };
  return (
    <FoldedForm title="Change URL or states" action="Change" problem={form.problem} send={send}>
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
