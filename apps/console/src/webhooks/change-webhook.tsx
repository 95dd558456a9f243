import { webhookRequestSchema, type WebhookView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useClient } from '../client-context.js';
import { RequestForm } from '../forms/request-form.js';
import { checkedBy } from '../forms/use-checked-value.js';

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
  return (
    <RequestForm
      title="Change URL or states"
      action="Change"
      request={changeSchema}
      check={check}
      start={{ url, states }}
      onSend={async (change) => {
        await client.changeWebhook(name, change);
        onChanged();
      }}
    />
  );
}
