import { describeStraggler } from '@skipring/protocol';
import { bytes, integer, percent, shortHash, significant } from '../format.js';
import { titleOf } from '../forms/title-of.js';
import type { OtherEvent } from './job-history.js';

export type EventLevel = 'info' | 'warn' | 'error';

/** How much an event matters: its own word for that, where it has one. */
export function levelOf(event: OtherEvent): EventLevel {
  if ('level' in event) return event.level;
  if (event.type === 'fault') return 'warn';
  if (event.type === 'straggler') return event.state === 'slow' ? 'warn' : 'info';
  return event.type === 'state' && event.state === 'failed' ? 'error' : 'info';
}

/** What happened, in words. An event of a kind that has none of its own tells its fields. */
export function textOf(event: OtherEvent): string {
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
    default:
      return fieldsText(event);
  }
}

const OF_EVERY_EVENT = ['id', 'time', 'jobId', 'type', 'level'];

/** Such as `worker w1, lag 1.25`. */
function fieldsText(event: object): string {
  return Object.entries(event)
    .filter(([name, value]) => !OF_EVERY_EVENT.includes(name) && value !== null)
    .map(([name, value]) => `${titleOf(name).toLowerCase()} ${valueText(value)}`)
    .join(', ');
}

function valueText(value: unknown): string {
  if (typeof value === 'number')
    return Number.isInteger(value) ? integer(value) : significant(value);
  if (Array.isArray(value)) return value.map(valueText).join(' and ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
