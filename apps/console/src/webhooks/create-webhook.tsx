import { webhookRequestSchema, type NewWebhook } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useClient } from '../client-context.js';
import { RequestForm } from '../forms/request-form.js';
import { checkedBy } from '../forms/use-checked-value.js';

const check = checkedBy(webhookRequestSchema);

/** Registers a webhook: where changes of jobs are told, and which. */
export function CreateWebhook({
  onCreated,
}: {
  readonly onCreated: (webhook: NewWebhook) => void;
}): JSX.Element {
  const client = useClient();
  return (
    <RequestForm
      title="Add a webhook"
      action="Add"
      request={webhookRequestSchema}
      check={check}
      start={{}}
      next={() => ({})}
      onSend={async (request) => {
        onCreated(await client.createWebhook(request));
      }}
    />
  );
}
