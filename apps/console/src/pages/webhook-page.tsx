import type { DeliveryTry, WebhookTest } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useApi, useClient } from '../client-context.js';
import { dateTime, duration } from '../format.js';
import { Link } from '../router.js';
import { ActionButton } from '../ui/action-button.js';
import { Badge } from '../ui/badge.js';
import { Empty, Loaded } from '../ui/states.js';
import { ChangeWebhook } from '../webhooks/change-webhook.js';

const REFRESH_MS = 2_000;

/** A webhook, the newest tries to deliver to it, and what became of each. */
export function WebhookPage({ name }: { readonly name: string }): JSX.Element {
  const deliveries = useApi(`deliveries ${name}`, (client) => client.deliveries(name), {
    everyMs: REFRESH_MS,
  });
  const { value: webhook, reload } = useApi(`webhook ${name}`, async (client) =>
    (await client.webhooks()).find((each) => each.name === name),
  );
  const client = useClient();
  const [last, setLast] = useState<WebhookTest | null>(null);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>
            <Link to="/webhooks" class="up">
              Webhooks
            </Link>{' '}
            {name}
          </h1>
          {webhook && (
            <p class="sub">
              <code>{webhook.url}</code> · told when a job is {webhook.states.join(', ')}
            </p>
          )}
        </div>
        <div class="tools">
          {last !== null && (
            <span role="status">
              {last.outcome} in {duration(last.tookMs)}: {last.error ?? `HTTP ${last.status ?? ''}`}
            </span>
          )}
          <ActionButton
            act={async () => {
              setLast(null);
              setLast(await client.testWebhook(name));
            }}
          >
            Send a test
          </ActionButton>
        </div>
      </div>
      <Loaded of={deliveries} what="the deliveries">
        {(tries) =>
          tries.length === 0 ? (
            <Empty title="Nothing was delivered yet">
              <p>The next change of a job that it is told of shows here.</p>
            </Empty>
          ) : (
            <DeliveryTable tries={tries} />
          )
        }
      </Loaded>
      {webhook && <ChangeWebhook key={name} webhook={webhook} onChanged={reload} />}
    </>
  );
}

function DeliveryTable({ tries }: { readonly tries: readonly DeliveryTry[] }): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Job</th>
          <th scope="col">Told</th>
          <th scope="col">Outcome</th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col">Delivery</th>
        </tr>
      </thead>
      <tbody>
        {tries.map(({ id, jobId, state, time, outcome, status, error, tookMs }) => (
          <tr key={`${id} ${time}`}>
            <td class="wide">
              <time dateTime={time}>{dateTime(time)}</time>
            </td>
            <th scope="row" class="wide">
              <Link to={`/jobs/${jobId}`}>{jobId}</Link>
            </th>
            <td data-name="Told">
              <Badge state={state} />
            </td>
            <td data-name="Outcome">
              <Badge state={outcome} />
              <span class="reason">{error ?? (status === null ? '' : `HTTP ${status}`)}</span>
            </td>
            <td data-name="Took" class="number">
              {duration(tookMs)}
            </td>
            <td data-name="Delivery" class="path">
              <code>{id}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
