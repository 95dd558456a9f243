import type { NewWebhook, WebhookView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { SecretsHead } from '../access/secrets-head.js';
import { useNewSecret } from '../access/use-new-secret.js';
import { useApi, useClient } from '../client-context.js';
import { Link } from '../router.js';
import { ActionButton } from '../ui/action-button.js';
import { Moment } from '../ui/moment.js';
import { Empty, Loaded } from '../ui/states.js';
import { CreateWebhook } from '../webhooks/create-webhook.js';

export function WebhooksPage(): JSX.Element {
  const client = useClient();
  const webhooks = useApi('webhooks', (of) => of.webhooks());
  const secrets = useNewSecret<NewWebhook>(webhooks.reload);
  return (
    <>
      <SecretsHead
        title="Webhooks"
        of={secrets}
        noticeOf={({ name }) => `The secret that signs deliveries to “${name}”.`}
        secretOf={({ secret }) => secret}
      />
      <Loaded of={webhooks} what="the webhooks">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No webhooks yet">
              <p>A webhook is told of changes of jobs by a signed POST to its URL.</p>
            </Empty>
          ) : (
            <WebhookTable
              webhooks={items}
              onRotate={async (name) => {
                secrets.show(await client.rotateWebhook(name, secrets.overlapMs));
              }}
              onSwitch={async (name, enabled) => {
                await client.changeWebhook(name, { enabled });
                webhooks.reload();
              }}
              onDelete={async (name) => {
                await client.deleteWebhook(name);
                secrets.forget(name);
              }}
            />
          )
        }
      </Loaded>
      <CreateWebhook onCreated={secrets.show} />
    </>
  );
}

function WebhookTable({
  webhooks,
  onRotate,
  onSwitch,
  onDelete,
}: {
  readonly webhooks: readonly WebhookView[];
  readonly onRotate: (name: string) => Promise<void>;
  readonly onSwitch: (name: string, enabled: boolean) => Promise<void>;
  readonly onDelete: (name: string) => Promise<void>;
}): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Webhook</th>
          <th scope="col">Deliveries</th>
          <th scope="col">URL</th>
          <th scope="col">Told when a job is</th>
          <th scope="col">Of jobs</th>
          <th scope="col">Made</th>
          <th scope="col">Rotated</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map(({ name, url, states, owner, ofAllJobs, createdAt, rotatedAt, disabled }) => (
          <tr key={name}>
            <th scope="row" class="wide">
              <Link to={`/webhooks/${name}`}>{name}</Link>
            </th>
            <td data-name="Deliveries" class="wide">
              {disabled === null ? (
                'enabled'
              ) : (
                <>
                  disabled <Moment at={disabled.since} />
                  <span class="reason">{disabled.reason}</span>
                </>
              )}
            </td>
            <td data-name="URL" class="path">
              {url}
            </td>
            <td data-name="Told when a job is" class="wide">
              {states.join(', ')}
            </td>
            <td data-name="Of jobs">{ofAllJobs ? 'all' : `${owner}’s`}</td>
            <td data-name="Made">
              <Moment at={createdAt} />
              <span class="id">by {owner}</span>
            </td>
            <td data-name="Rotated">{rotatedAt === null ? '–' : <Moment at={rotatedAt} />}</td>
            <td class="actions wide">
              <ActionButton act={() => onSwitch(name, disabled !== null)}>
                {disabled === null ? 'Disable' : 'Enable'}
              </ActionButton>{' '}
              <ActionButton question={`Rotate ${name}?`} act={() => onRotate(name)}>
                Rotate
              </ActionButton>{' '}
              <ActionButton kind="danger" question={`Delete ${name}?`} act={() => onDelete(name)}>
                Delete
              </ActionButton>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
