import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { clockTime, dateTime } from '../format.js';
import { Empty } from '../ui/states.js';
import { levelOf, textOf } from './event-text.js';
import type { OtherEvent } from './job-history.js';

/** The newest are shown; the others are in the API. */
const MAX_SHOWN = 500;

export function EventsTab({ events }: { readonly events: readonly OtherEvent[] }): JSX.Element {
  const [type, setType] = useState<OtherEvent['type'] | ''>('');
  // Those that there are: a kind that is new needs no change here.
  const types = [...new Set(events.map((event) => event.type))].sort();
  const shown = events.filter((event) => type === '' || event.type === type);
  return (
    <>
      <div class="tools">
        <label>
          Kind{' '}
          <select
            value={type}
            onChange={(event) => {
              setType(event.currentTarget.value as OtherEvent['type'] | '');
            }}
          >
            <option value="">all</option>
            {types.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <EventTable events={shown} />
    </>
  );
}

/** What people follow as a log: states, generations, and the lines told of them. */
export function LogTab({ events }: { readonly events: readonly OtherEvent[] }): JSX.Element {
  const lines = events.filter(({ type }) => type !== 'checkpoint' && type !== 'evaluation');
  if (lines.length === 0) return <Empty title="Nothing has happened yet" />;
  return (
    <div class="log" tabIndex={0} role="log" aria-label="Log of the job">
      {lines.slice(-MAX_SHOWN).map((event) => (
        <div key={event.id} class={`line level-${levelOf(event)}`}>
          <time dateTime={event.time}>{clockTime(event.time)}</time> {textOf(event)}
        </div>
      ))}
    </div>
  );
}

function EventTable({ events }: { readonly events: readonly OtherEvent[] }): JSX.Element {
  if (events.length === 0) return <Empty title="No such event yet" />;
  return (
    <table class="events">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Kind</th>
          <th scope="col">What happened</th>
        </tr>
      </thead>
      <tbody>
        {events
          .slice(-MAX_SHOWN)
          .toReversed()
          .map((event) => (
            <tr key={event.id} class={`level-${levelOf(event)}`}>
              <td>
                <time dateTime={event.time} title={dateTime(event.time)}>
                  {clockTime(event.time)}
                </time>
              </td>
              <td>{event.type}</td>
              <td>{textOf(event)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
