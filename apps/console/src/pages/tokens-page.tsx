import type { NewToken, TokenView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { CreateToken } from '../access/create-token.js';
import { limitsText } from '../access/limits-text.js';
import { SecretsHead } from '../access/secrets-head.js';
import { useNewSecret } from '../access/use-new-secret.js';
import { useApi, useClient } from '../client-context.js';
import { dateTime, until } from '../format.js';
import { ActionButton } from '../ui/action-button.js';
import { Badge } from '../ui/badge.js';
import { Moment } from '../ui/moment.js';
import { Empty, Loaded } from '../ui/states.js';

export function TokensPage(): JSX.Element {
  const client = useClient();
  const tokens = useApi('tokens', (of) => of.tokens());
  const secrets = useNewSecret<NewToken>(tokens.reload);
  return (
    <>
      <SecretsHead
        title="Tokens"
        of={secrets}
        noticeOf={({ name }) => `The token “${name}”.`}
        secretOf={({ token }) => token}
      />
      <Loaded of={tokens} what="the tokens">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No tokens yet">
              <p>
                The token of the coordinator’s configuration is that of “root”. Make one for each
                person and program, with no more than it needs.
              </p>
            </Empty>
          ) : (
            <TokenTable
              tokens={items}
              onRotate={async (name) => {
                secrets.show(await client.rotateToken(name, secrets.overlapMs));
              }}
              onRevoke={async (name) => {
                await client.revokeToken(name);
                secrets.forget(name);
              }}
            />
          )
        }
      </Loaded>
      <CreateToken onCreated={secrets.show} />
    </>
  );
}

function TokenTable({
  tokens,
  onRotate,
  onRevoke,
}: {
  readonly tokens: readonly TokenView[];
  readonly onRotate: (name: string) => Promise<void>;
  readonly onRevoke: (name: string) => Promise<void>;
}): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">Role</th>
          <th scope="col">Limits</th>
          <th scope="col">Expires</th>
          <th scope="col">Made</th>
          <th scope="col">Rotated</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map(({ name, role, limits, expiresAt, createdAt, createdBy, rotatedAt }) => (
          <tr key={name}>
            <th scope="row" class="wide">
              {name}
            </th>
            <td data-name="Role">{role}</td>
            <td data-name="Limits">{limitsText(limits)}</td>
            <td data-name="Expires">
              <Expiry at={expiresAt} />
            </td>
            <td data-name="Made">
              <Moment at={createdAt} />
              <span class="id">by {createdBy}</span>
            </td>
            <td data-name="Rotated">{rotatedAt === null ? '–' : <Moment at={rotatedAt} />}</td>
            <td class="actions wide">
              <ActionButton question={`Rotate ${name}?`} act={() => onRotate(name)}>
                Rotate
              </ActionButton>{' '}
              <ActionButton kind="danger" question={`Revoke ${name}?`} act={() => onRevoke(name)}>
                Revoke
              </ActionButton>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Expiry({ at }: { readonly at: string | null }): JSX.Element {
  if (at === null) return <>never</>;
  if (Date.parse(at) <= Date.now()) return <Badge state="expired" />;
  return (
    <time dateTime={at} title={dateTime(at)}>
      {until(at)}
    </time>
  );
}
