import {
  evaluationResultSchema,
  finalJobStates,
  jobEventSchema,
  jobStates,
  layersSchema,
  layerStatisticsSchema,
  rankRecordSchema,
  stepRecordSchema,
  type EvaluationResult,
  type JobEvent,
  type JobState,
  type Layer,
  type LayerHistory,
  type LayerStatistics,
  type RankRecord,
  type StepRecord,
  type StoredLedger,
  type TokenLimits,
} from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run, StoreError } from './errors.js';
import { idempotencyValue, madeBefore, type Idempotency } from './idempotency.js';
import { decodeRecord, encodeRecord, type JobRecord, type NewJobEvent } from './job-record.js';
import { Keys, type SeriesName } from './keys.js';
import { leadershipLost } from './leader-lease.js';
import { decodeLedger, encodeLedger, type LedgerUpdate } from './ledger-fields.js';
import { DEFAULT_RETENTION, type Retention } from './retention.js';
import {
  ADD_LAYERS,
  BEGIN_REMOVAL,
  CHANGE_JOB,
  CREATE_JOB,
  END_REMOVAL,
  JOIN_FIELDS,
  NEXT_ATTEMPT,
  NOT_LEADER,
  SUMMARY_FIELDS,
} from './scripts.js';

/** Steps that are read at once where all are needed. */
const STEP_PAGE = 5_000;
/** Jobs that Redis reads something of in one go, in which it does nothing else: some milliseconds. */
const READ_TOGETHER = 1_000;

export interface JobChange {
  /** The change is refused unless the job is in one of these states. */
  readonly from?: readonly JobState[];
  /** The change is refused unless this is the job's attempt. */
  readonly attempt?: number;
  readonly fields?: Partial<Omit<JobRecord, 'id' | 'spec' | 'createdAt'>>;
  readonly event?: NewJobEvent;
  /** Added to the history of steps or evaluations, in place of what has the same step. */
  readonly step?: StepRecord;
  /** Added to the history of how ranks spend their steps. */
  readonly ranks?: RankRecord | null;
  readonly evaluation?: EvaluationResult;
  readonly ledger?: LedgerUpdate;
  /**
   * Rises with each change of a job by one leader. A change that was given up at its deadline may
   * still be under way to the store: whichever of its tries comes first is done, and no later one,
   * nor one that a newer change has overtaken.
   */
  readonly sequence?: number;
  /** Of the owner: a job that had ended is opened again only within them. */
  readonly limits?: TokenLimits;
}

/** What a step of an attempt found at the layers. */
export interface LayerEntry {
  readonly attempt: number;
  readonly layers: readonly Layer[];
  readonly statistics: LayerStatistics;
}

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

export type ChangeResult =
  | { readonly outcome: 'done'; readonly event: JobEvent | null }
  | { readonly outcome: 'refused'; readonly state: JobState }
  | { readonly outcome: 'missing' };

/** Jobs, their events and their histories. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class RunStore {
  private readonly keys: Keys;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
    private readonly retention: Retention = DEFAULT_RETENTION,
    /** Of the leader that writes: writes throw LEADERSHIP_LOST once there is a later one. */
    private readonly leaderNumber: number | null = null,
  ) {
    this.keys = new Keys(keyPrefix);
  }

  /**
   * Stores a new job, unless its idempotency key is known: then the id of the job that the key made
   * comes back.
   * @param limits of the owner
   * @throws StoreError IDEMPOTENCY_KEY_REUSED when the key is known with another request,
   *   QUOTA_EXCEEDED
   */
  async create(
    record: JobRecord,
    event: NewJobEvent,
    idempotency: Idempotency | null,
    limits?: TokenLimits,
  ): Promise<{ id: string; created: boolean }> {
    const { id, state, owner } = record;
    const [known, broken] = (await this.write(
      CREATE_JOB,
      [
        this.keys.idempotency(idempotency?.keyHash ?? ''),
        this.keys.jobs,
        this.keys.jobsIn(state),
        this.keys.job(id),
        this.keys.events(id),
        this.keys.openJobs(owner),
        this.keys.storage(owner),
        this.keys.stateChanges,
        this.keys.summaries,
      ],
      [
        id,
        idempotencyValue(id, idempotency),
        this.retention.idempotencyMs,
        this.encodeEvent(id, event),
        this.retention.events,
        limits === undefined ? '' : JSON.stringify(limits),
        record.spec.workers.max,
        this.retention.stateChanges,
        ...Object.entries(encodeRecord(record)).flat(),
      ],
    )) as [string, string];
    if (broken !== '') throw quotaExceeded(owner, broken, limits);
    const first = madeBefore(known, idempotency);
    return first === null ? { id, created: true } : { id: first, created: false };
  }

  async get(id: string): Promise<JobRecord | null> {
    return this.recordAt(id, this.keys.job(id));
  }

  private async recordAt(id: string, key: string): Promise<JobRecord | null> {
    const fields = await run(() => this.redis.hgetall(key));
    return Object.keys(fields).length === 0 ? null : decodeRecord(id, fields);
  }

  /**
   * Changes fields, appends an event and a history entry: all of it, or none when refused.
   * @throws StoreError QUOTA_EXCEEDED
   */
  async change(id: string, change: JobChange): Promise<ChangeResult> {
    const { from, attempt, fields = {}, event, step, ranks, evaluation } = change;
    const state = fields.state;
    const series = evaluation === undefined ? 'steps' : 'evaluations';
    const entry = step ?? evaluation;
    const time = new Date().toISOString();
    const reply = (await this.write(
      CHANGE_JOB,
      [
        this.keys.job(id),
        this.keys.events(id),
        this.keys.series(id, series),
        this.keys.jobs + ':',
        this.keys.series(id, 'steps'),
        this.keys.series(id, 'evaluations'),
        this.keys.ledger(id),
        this.keys.openJobs(''),
        this.keys.storage(''),
        this.keys.series(id, 'ranks'),
        this.keys.series(id, 'layers'),
        this.keys.layerList(id),
        this.keys.sequence(id),
        this.keys.stateChanges,
        this.keys.summaries,
      ],
      [
        id,
        from?.join(',') ?? '',
        attempt ?? '',
        JSON.stringify(encodeRecord(fields)),
        state ?? '',
        event === undefined ? '' : this.encodeEvent(id, event, time),
        this.retention.events,
        entry?.step ?? '',
        entry === undefined ? '' : JSON.stringify(entry),
        this.retention[series],
        state === undefined ? 0 : finalJobStates.includes(state) ? this.retention.historyMs : -1,
        encodeLedger(change.ledger),
        change.limits === undefined ? '' : JSON.stringify(change.limits),
        ranks?.step ?? '',
        JSON.stringify(ranks ?? null),
        Math.ceil(this.retention.rankTimes / Math.max(1, ranks?.ranks.length ?? 1)),
        change.sequence === undefined ? '' : `${this.leaderNumber ?? ''}:${change.sequence}`,
        this.retention.stateChanges,
      ],
    )) as [number, string];
    if (reply[0] === -2) throw quotaExceeded('the owner', reply[1], change.limits);
    if (reply[0] === -1) return { outcome: 'missing' };
    if (reply[0] === 0) return { outcome: 'refused', state: reply[1] as JobState };
    if (event === undefined || reply[1] === '') return { outcome: 'done', event: null };
    return { outcome: 'done', event: { ...event, id: reply[1], jobId: id, time } };
  }

  /** Adds to a job's history of layer statistics; nothing when another attempt runs. */
  async addLayers(id: string, { attempt, layers, statistics }: LayerEntry): Promise<void> {
    await this.write(
      ADD_LAYERS,
      [this.keys.job(id), this.keys.series(id, 'layers'), this.keys.layerList(id)],
      [
        attempt,
        statistics.step,
        JSON.stringify(statistics),
        this.retention.layers,
        JSON.stringify(layers),
      ],
    );
  }

  /** The number of a new attempt: each number is given once, ever. */
  async nextAttempt(id: string): Promise<number> {
    return (await this.write(NEXT_ATTEMPT, [this.keys.attempt(id)], [])) as number;
  }

  async list(query: JobQuery): Promise<ListedJobs<JobRecord>> {
    const { ids, ...rest } = await this.page(query);
    const records = await Promise.all(ids.map((id) => this.get(id)));
    return { ...rest, items: records.filter((record) => record !== null) };
  }

  /** Each job with the JSON of its JobSummary, as it is stored: it is not parsed. */
  async summaries(query: JobQuery): Promise<ListedJobs<{ id: string; json: string }>> {
    const { ids, ...rest } = await this.page(query);
    const found = await Promise.all(partsOf(ids).map((part) => this.summariesOf(part)));
    return { ...rest, items: found.flat() };
  }

  private async summariesOf(ids: readonly string[]): Promise<{ id: string; json: string }[]> {
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

  private async fieldsOf(
    ids: readonly string[],
    fields: readonly string[],
  ): Promise<{ id: string; json: string }[]> {
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

  /**
   * Takes a job that has ended out of all lists: nobody finds it any more, but its record is kept for
   * `endRemoval`.
   */
  async beginRemoval(id: string): Promise<ChangeResult> {
    const [outcome, state] = (await this.write(
      BEGIN_REMOVAL,
      [
        ...[this.keys.job(id), this.keys.removedJob(id)],
        ...[this.keys.jobs, this.keys.removedJobs, this.keys.jobs + ':', this.keys.summaries],
      ],
      [id, finalJobStates.join(',')],
    )) as [number, string];
    if (outcome === -1) return { outcome: 'missing' };
    if (outcome === 0) return { outcome: 'refused', state: state as JobState };
    return { outcome: 'done', event: null };
  }

  /** The record of a job whose removal has begun and not ended. */
  async removed(id: string): Promise<JobRecord | null> {
    return this.recordAt(id, this.keys.removedJob(id));
  }

  /** Ids of jobs whose removal has begun and not ended. */
  async removals(): Promise<string[]> {
    return run(() => this.redis.zrange(this.keys.removedJobs, '0', '-1'));
  }

  /** Removes the last that is stored of a job: its events, histories, ledger and record. */
  async endRemoval({ id, owner }: Pick<JobRecord, 'id' | 'owner'>): Promise<void> {
    const { keys } = this;
    const series = (['steps', 'ranks', 'evaluations', 'layers'] as const).map((name) =>
      keys.series(id, name),
    );
    await this.write(
      END_REMOVAL,
      [
        ...[keys.storage(owner), keys.openJobs(owner), keys.removedJobs],
        ...[keys.attempt(id), keys.events(id), keys.layerList(id), keys.sequence(id)],
        ...[...series, keys.ledger(id), keys.removedJob(id)],
      ],
      [id],
    );
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

  /** Events after the one with id `afterId` (null: from the oldest kept), oldest first. */
  async events(id: string, afterId: string | null, limit: number): Promise<JobEvent[]> {
    return this.eventsOf(this.keys.events(id), afterId, limit);
  }

  /** Changes of state of all jobs after the one with id `afterId` (null: the oldest kept), in order. */
  async stateChanges(afterId: string | null, limit: number): Promise<JobEvent[]> {
    return this.eventsOf(this.keys.stateChanges, afterId, limit);
  }

  /** The id of the newest change of state; null when there was none. */
  async lastStateChange(): Promise<string | null> {
    const entries = await run(() =>
      this.redis.xrevrange(this.keys.stateChanges, '+', '-', 'COUNT', 1),
    );
    return entries[0]?.[0] ?? null;
  }

  /** Committed steps from `fromStep` on, in order. */
  async steps(id: string, fromStep: number, limit: number): Promise<StepRecord[]> {
    const entries = await this.series(id, 'steps', fromStep, limit);
    return entries.map((entry) => stepRecordSchema.parse(JSON.parse(entry)));
  }

  /** All committed steps of [fromStep, toStep], in order, a page at a time. */
  async *stepPages(id: string, fromStep: number, toStep: number): AsyncGenerator<StepRecord[]> {
    let next = this.series(id, 'steps', fromStep, STEP_PAGE, toStep);
    for (;;) {
      const entries = await next;
      const last = entries.at(-1);
      const isLast = entries.length < STEP_PAGE || last === undefined;
      if (!isLast) {
        // Redis reads on while this page is parsed.
        const { step } = JSON.parse(last) as StepRecord;
        next = this.series(id, 'steps', step + 1, STEP_PAGE, toStep);
        // Told when it is awaited, which may be later than it fails.
        next.catch(() => undefined);
      }
      // One call for all: a history is long, and each entry was checked when it came in.
      yield JSON.parse(`[${entries.join(',')}]`) as StepRecord[];
      if (isLast) return;
    }
  }

  /** How each rank spent its steps, from `fromStep` on, in order. */
  async ranks(id: string, fromStep: number, limit: number): Promise<RankRecord[]> {
    const entries = await this.series(id, 'ranks', fromStep, limit);
    return entries.map((entry) => rankRecordSchema.parse(JSON.parse(entry)));
  }

  async evaluations(id: string): Promise<EvaluationResult[]> {
    const entries = await this.series(id, 'evaluations', 0, this.retention.evaluations);
    return entries.map((entry) => evaluationResultSchema.parse(JSON.parse(entry)));
  }

  /**
   * Statistics of the layers from `fromStep` on, in order: of the first `limit` entries, `points` at
   * even distances with the first and the last. Without layers when the job has none.
   */
  async layers(
    id: string,
    query: { fromStep: number; limit: number; points: number },
  ): Promise<LayerHistory> {
    const entries = await this.series(id, 'layers', query.fromStep, query.limit);
    const list = await run(() => this.redis.get(this.keys.layerList(id)));
    return {
      layers: list === null ? [] : layersSchema.parse(JSON.parse(list)),
      items: evenly(entries, query.points).map((entry) =>
        layerStatisticsSchema.parse(JSON.parse(entry)),
      ),
    };
  }

  /** Null when the job has none, also because it ended long ago. */
  async ledger(id: string): Promise<StoredLedger | null> {
    const fields = await run(() => this.redis.hgetall(this.keys.ledger(id)));
    return Object.keys(fields).length === 0 ? null : decodeLedger(id, fields);
  }

  /** Throws STORE_UNAVAILABLE unless Redis answers. */
  async ping(): Promise<void> {
    await run(() => this.redis.ping());
  }

  private async eventsOf(key: string, afterId: string | null, limit: number): Promise<JobEvent[]> {
    const start = afterId === null ? '-' : `(${afterId}`;
    const entries = await run(() => this.redis.xrange(key, start, '+', 'COUNT', limit));
    return entries.map(([eventId, fields]) =>
      jobEventSchema.parse({ ...(JSON.parse(fields[1] ?? '{}') as object), id: eventId }),
    );
  }

  private series(
    id: string,
    series: SeriesName,
    from: number,
    limit: number,
    to = Infinity,
  ): Promise<string[]> {
    const end = to === Infinity ? '+inf' : to;
    return run(() =>
      this.redis.zrangebyscore(this.keys.series(id, series), from, end, 'LIMIT', 0, limit),
    );
  }

  private encodeEvent(jobId: string, event: NewJobEvent, time = new Date().toISOString()): string {
    return JSON.stringify({ ...event, jobId, time });
  }

  /** Runs a script that only the leader may run. */
  private async write(
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const { leaderNumber } = this;
    const all = [this.keys.leaderNumber, ...keys, leaderNumber ?? '', ...values];
    const reply = await run(() => this.redis.eval(script, keys.length + 1, ...all));
    if (reply === NOT_LEADER && leaderNumber !== null) throw leadershipLost(leaderNumber);
    return reply;
  }
}

function quotaExceeded(owner: string, broken: string, limits: TokenLimits | undefined): StoreError {
  const most = limits?.[broken as keyof TokenLimits] ?? 0;
  return new StoreError('QUOTA_EXCEEDED', `${owner} may have ${broken} of at most ${most}`);
}

function partsOf(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / READ_TOGETHER) }, (_, index) =>
    ids.slice(index * READ_TOGETHER, (index + 1) * READ_TOGETHER),
  );
}

/** At most `count` of the items, at even distances, with the first and the last. */
function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  const last = items.length - 1;
  if (count === 1) return items.slice(last);
  return Array.from({ length: count }, (_, index) => Math.round((index * last) / (count - 1)))
    .map((index) => items[index])
    .filter((item) => item !== undefined);
}
