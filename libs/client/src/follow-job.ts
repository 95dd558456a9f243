import { finalJobStates, type JobEvent, type JobState } from '@skipring/protocol';
import { ApiError, ResponseError } from './errors.js';
import { pause } from './pause.js';

const RECONNECT_MS = 500;
/** A follower gives up when the coordinator has not been reached for this long. */
const FOLLOW_TIMEOUT_MS = 120_000;

export interface FollowOptions {
  /** The id of the last event seen. */
  readonly afterId?: string;
  readonly signal?: AbortSignal;
}

/** Where the events of one job come from. */
export interface EventSource {
  readonly live: (from: FollowOptions) => AsyncIterable<JobEvent>;
  readonly stored: (from: FollowOptions) => AsyncIterable<JobEvent>;
  readonly state: () => Promise<JobState>;
  /** Of the client: its end is an error, that of the options is not. */
  readonly signal: AbortSignal | undefined;
}

/** A job's events to its end, over as many connections as it takes; see `SkipringClient.follow`. */
export async function* followJob(
  source: EventSource,
  { afterId, signal }: FollowOptions,
): AsyncGenerator<JobEvent, void, undefined> {
  let lastId = afterId;
  let lastContact = Date.now();
  let hasEnded = false;
  while (!isAborted(signal)) {
    try {
      const from = {
        ...(lastId === undefined ? {} : { afterId: lastId }),
        ...(signal === undefined ? {} : { signal }),
      };
      // What is stored of a job that has ended is all there is.
      const events = hasEnded ? source.stored(from) : source.live(from);
      const before = lastId;
      for await (const event of events) {
        lastId = event.id;
        lastContact = Date.now();
        yield event;
      }
      if (hasEnded && lastId === before) return;
      // The stream may have been cut off just before the job's last events.
      hasEnded = finalJobStates.includes(await source.state());
      lastContact = Date.now();
      if (hasEnded) continue;
    } catch (error) {
      if (isAborted(signal)) return;
      source.signal?.throwIfAborted();
      // 503: the coordinator restarts, or waits to take over from another.
      if (error instanceof ApiError && error.status !== 503) throw error;
      if (error instanceof ResponseError) throw error;
      if (Date.now() - lastContact > FOLLOW_TIMEOUT_MS) throw error;
    }
    await pause(RECONNECT_MS, signal === undefined ? [] : [signal]);
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
