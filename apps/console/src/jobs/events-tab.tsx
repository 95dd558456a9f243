import { describeStraggler } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { bytes, clockTime, dateTime, integer, percent, shortHash, significant } from '../format.js';
import { Empty } from '../ui/states.js';
import type { OtherEvent } from './job-history.js';

const TYPES = [
  'state',
  'generation',
  'evaluation',
  'checkpoint',
  'straggler',
  'fault',
  'log',
] as const;
/** The newest are shown; the others are in the API. */
const MAX_SHOWN = 500;

export function EventsTab({ events }: { readonly events: readonly OtherEvent[] }): JSX.Element {
  const [type, setType] = useState<OtherEvent['type'] | ''>('');
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
            {TYPES.map((name) => (
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
              <td class="number">
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

function levelOf(event: OtherEvent): 'info' | 'warn' | 'error' {
  if (event.type === 'log') return event.level;
  if (event.type === 'fault') return 'warn';
  if (event.type === 'straggler') return event.state === 'slow' ? 'warn' : 'info';
  return event.type === 'state' && event.state === 'failed' ? 'error' : 'info';
}

function textOf(event: OtherEvent): string {
  switch (event.type) {
    case 'state':
      return `${event.state}: ${event.reason}`;
    case 'generation':
      return `generation ${event.generation} from step ${integer(event.step)} with ${event.workers.join(', ')}: ${event.reason}`;
    case 'evaluation': {
      const { epoch, accuracy, loss } = event.result;
      return `epoch ${epoch + 1}: accuracy ${percent(accuracy)}, loss ${significant(loss)}`;
    }
    case 'checkpoint':
      return `checkpoint of step ${integer(event.step)}, ${bytes(event.bytes)}, ${shortHash(event.modelSha256)}${event.best ? ', the best so far' : ''}`;
    case 'fault':
      return `fault ${event.fault.kind} ${event.state}${event.workerId === null ? '' : `, worker ${event.workerId}`}`;
    case 'straggler':
      return describeStraggler(event);
    case 'log':
      return event.message;
  }
}
