import { jobEventSchema, type JobEvent } from '@skipring/protocol';
import type { TestCoordinator } from './coordinator.js';

/** A job's events, as they arrive. */
export interface EventStream {
  readonly status: number;
  /** The next event; null when the coordinator ended the stream. */
  readonly next: () => Promise<JobEvent | null>;
  /** All further events, until the coordinator ends the stream. */
  readonly rest: () => Promise<JobEvent[]>;
  /** Leaves in the middle. */
  readonly leave: () => void;
}

export async function openEvents(
  { send }: TestCoordinator,
  jobId: string,
  lastEventId?: string,
): Promise<EventStream> {
  const leaving = new AbortController();
  const response = await send(`/jobs/${jobId}/events`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    signal: leaving.signal,
  });
  if (!response.ok || response.body === null) {
    throw new Error(`events: ${response.status} ${await response.text()}`);
  }
  // Locked from now on: `fetch` ends a body that nobody reads once its response is collected as garbage.
  const events = parse(response.body.values());
  const next = async (): Promise<JobEvent | null> => {
    const { value, done } = await events.next();
    return done === true ? null : value;
  };
  return {
    status: response.status,
    next,
    async rest() {
      const all: JobEvent[] = [];
      for (let event = await next(); event !== null; event = await next()) all.push(event);
      return all;
    },
    leave: () => {
      leaving.abort();
    },
  };
}

async function* parse(body: AsyncIterable<Uint8Array>): AsyncGenerator<JobEvent, void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)] as const;
        }),
      );
      const data = fields.get('data');
      if (data === undefined) continue;
      const event = jobEventSchema.parse(JSON.parse(data));
      if (fields.get('id') !== event.id || fields.get('event') !== event.type) {
        throw new Error(`the fields of an event do not agree: ${block}`);
      }
      yield event;
    }
  }
}
