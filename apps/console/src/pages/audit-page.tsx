import type { AuditEntry } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useApi } from '../client-context.js';
import { dateTime } from '../format.js';
import { Pager } from '../ui/pager.js';
import { Empty, Loaded } from '../ui/states.js';
import { usePages } from '../ui/use-pages.js';

const PAGE = 100;
const SETTLED_MS = 300;

/** Who changed what, and who tried what the role does not allow. */
export function AuditPage(): JSX.Element {
  const [actor, setActor] = useState('');
  const pages = usePages();
  const query = {
    limit: PAGE,
    ...(actor === '' ? {} : { actor }),
    ...(pages.cursor === undefined ? {} : { cursor: pages.cursor }),
  };
  const audit = useApi(`audit ${JSON.stringify(query)}`, (client) => client.audit(query));
  return (
    <>
      <div class="page-head">
        <h1>Audit log</h1>
        <div class="tools">
          <ActorField
            onActor={(given) => {
              setActor(given);
              pages.reset();
            }}
          />
          <button type="button" onClick={audit.reload}>
            Read again
          </button>
        </div>
      </div>
      <Loaded of={audit} what="the audit log">
        {({ items }) =>
          items.length > 0 ? (
            <AuditTable entries={items} />
          ) : (
            <Empty title={actor === '' ? 'Nothing was changed yet' : `Nothing of “${actor}”`} />
          )
        }
      </Loaded>
      <Pager pages={pages} nextCursor={audit.value?.nextCursor ?? null} />
    </>
  );
}

/** Asks once typing has stopped. */
function ActorField({ onActor }: { readonly onActor: (actor: string) => void }): JSX.Element {
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  return (
    <label>
      Of token{' '}
      <input
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder="all"
        onInput={(event) => {
          const given = event.currentTarget.value.trim();
          clearTimeout(timer);
          setTimer(
            setTimeout(() => {
              onActor(given);
            }, SETTLED_MS),
          );
        }}
      />
    </label>
  );
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Answer</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ id, time, actor, role, method, path, status, address }) => (
          <tr key={id} class={status >= 400 ? 'level-warn' : ''}>
            <td class="wide">
              <time dateTime={time}>{dateTime(time)}</time>
            </td>
            <td data-name="Who">
              {actor}
              <span class="id">{role}</span>
            </td>
            <td data-name="What" class="path">
              <code>
                {method} {path}
              </code>
            </td>
            <td data-name="Answer">{status}</td>
            <td data-name="From" class="path">
              {address}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
