import { finalJobStates, jobStates, type JobState } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import { readRecord, type JobRecord } from './job-record.js';
import type { Keys } from './keys.js';
import { JOIN_FIELDS, SUMMARY_FIELDS } from './scripts.js';

/** Jobs that Redis reads something of in one go, in which it does nothing else: some milliseconds. */
const READ_TOGETHER = 1_000;

/** Which jobs a page of the list has, the newest first. */
export interface JobQuery {
  readonly state?: JobState | undefined;
  readonly limit: number;
  /** The id of the last job of the page before. */
  readonly cursor?: string | undefined;
}

export interface ListedJobs<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
  readonly total: number;
}

/** Some of a job's fields, as the JSON of an object. */
interface JobJson {
  readonly id: string;
  readonly json: string;
}

/** Which jobs there are. */
export class JobIndex {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  async list(query: JobQuery): Promise<ListedJobs<JobRecord>> {
    const { ids, ...rest } = await this.page(query);
    const records = await Promise.all(
      ids.map((id) => readRecord(this.redis, id, this.keys.job(id))),
    );
    return { ...rest, items: records.filter((record) => record !== null) };
  }

  /** Each job with the JSON of its JobSummary, as it is stored: it is not parsed. */
  async summaries(query: JobQuery): Promise<ListedJobs<JobJson>> {
    const { ids, ...rest } = await this.page(query);
    const found = await Promise.all(partsOf(ids).map((part) => this.summariesOf(part)));
    return { ...rest, items: found.flat() };
  }

  /** Ids of all jobs in a state, oldest first. */
  async idsIn(state: JobState): Promise<string[]> {
    return run(() => this.redis.zrange(this.keys.jobsIn(state), '0', '-1'));
  }

  async countByState(): Promise<Record<JobState, number>> {
    const counts = await run(() =>
      Promise.all(jobStates.map((state) => this.redis.zcard(this.keys.jobsIn(state)))),
    );
    return Object.fromEntries(
      jobStates.map((state, index) => [state, counts[index] ?? 0]),
    ) as Record<JobState, number>;
  }

  /** Ids of jobs that train on a data set, or will, and have not ended. */
  async openJobsOn(dataSet: string): Promise<string[]> {
    const open = jobStates.filter((state) => !finalJobStates.includes(state));
    const ids = (await Promise.all(open.map((state) => this.idsIn(state)))).flat();
    const found: string[] = [];
    for (const part of partsOf(ids)) {
      for (const { id, json } of await this.fieldsOf(part, ['spec'])) {
        const { spec } = JSON.parse(json) as Pick<JobRecord, 'spec'>;
        if (spec.data.dataSet === dataSet) found.push(id);
      }
    }
    return found;
  }

  private async page({
    state,
    limit,
    cursor,
  }: JobQuery): Promise<{ ids: string[]; nextCursor: string | null; total: number }> {
    const index = state === undefined ? this.keys.jobs : this.keys.jobsIn(state);
    const from = cursor === undefined ? '+' : `(${cursor}`;
    const [found, total] = await run(() =>
      Promise.all([
        this.redis.zrevrangebylex(index, from, '-', 'LIMIT', 0, limit + 1),
        this.redis.zcard(index),
      ]),
    );
    const ids = found.slice(0, limit);
    return { ids, nextCursor: found.length > limit ? (ids.at(-1) ?? null) : null, total };
  }

  private async summariesOf(ids: readonly string[]): Promise<JobJson[]> {
    const stored = await run(() => this.redis.hmget(this.keys.summaries, ...ids));
    // Of jobs that no version with summaries has changed yet.
    const others = ids.filter((_, index) => stored[index] === null);
    const joined = new Map(
      (await this.fieldsOf(others, SUMMARY_FIELDS)).map(({ id, json }) => [id, json]),
    );
    return ids.flatMap((id, index) => {
      const json = stored[index] ?? joined.get(id);
      return json === undefined ? [] : [{ id, json }];
    });
  }

  private async fieldsOf(ids: readonly string[], fields: readonly string[]): Promise<JobJson[]> {
    if (ids.length === 0) return [];
    const keys = ids.map((id) => this.keys.job(id));
    const objects = (await run(() =>
      this.redis.eval(JOIN_FIELDS, keys.length, ...keys, ...fields),
    )) as string[];
    return ids.flatMap((id, index) => {
      const json = objects[index] ?? '';
      return json === '' ? [] : [{ id, json }];
    });
  }
}

function partsOf(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / READ_TOGETHER) }, (_, index) =>
    ids.slice(index * READ_TOGETHER, (index + 1) * READ_TOGETHER),
  );
}
