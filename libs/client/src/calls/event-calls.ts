import { jobViewSchema, type JobEvent } from '@skipring/protocol';
import { followJob, type FollowOptions } from '../follow-job.js';
import { parseEvent } from '../parse-event.js';
import { parseEventStream } from '../server-sent-events.js';
import { Calls } from './calls.js';

/** What happens to a job. */
export class EventCalls extends Calls {
  /** A job's events that are stored by now, behind `afterId` or from its beginning, in order. */
  async *events(
    id: string,
    options: FollowOptions = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    yield* this.eventStream(id, options, { follow: 'false' });
  }

  /**
   * A job's events from `afterId` (or its beginning), live, until the job has ended and all of them
   * are told; an end that was followed by a resumption is an event like others. Reconnects by itself
   * and resumes behind the last event seen, so that none is lost or repeated.
   */
  follow(id: string, options: FollowOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
    return followJob(
      {
        live: (from) => this.eventStream(id, from),
        stored: (from) => this.events(id, from),
        state: async () =>
          (await this.http.json(jobViewSchema, `/jobs/${encodeURIComponent(id)}`)).state,
        signal: this.http.signal,
      },
      options,
    );
  }

  private async *eventStream(
    id: string,
    { afterId, signal }: FollowOptions,
    query: { follow?: 'false' } = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    const stream = await this.http.stream(`/jobs/${encodeURIComponent(id)}/events`, {
      query,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        accept: 'text/event-stream',
        ...(afterId === undefined ? {} : { 'last-event-id': afterId }),
      },
    });
    for await (const event of parseEventStream(stream)) {
      const parsed = parseEvent(event.data);
      if (parsed !== null) yield parsed;
    }
  }
}
