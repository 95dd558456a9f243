import { finalJobStates, type JobState, type TokenLimits } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run, StoreError } from './errors.js';
import { idempotencyValue, madeBefore, type Idempotency } from './idempotency.js';
import type { ChangeResult, JobChange } from './job-change.js';
import { JobEvents } from './job-events.js';
import { JobHistories } from './job-histories.js';
import { JobIndex } from './job-index.js';
import { encodeRecord, readRecord, type JobRecord, type NewJobEvent } from './job-record.js';
import { JobRemovals } from './job-removals.js';
import { Keys } from './keys.js';
import { LeaderWrites } from './leader-writes.js';
import { encodeLedger } from './ledger-fields.js';
import { DEFAULT_RETENTION, type Retention } from './retention.js';
import { CHANGE_JOB, CREATE_JOB, NEXT_ATTEMPT } from './scripts.js';

/** Jobs, their events and their histories. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class RunStore {
  readonly index: JobIndex;
  readonly events: JobEvents;
  readonly histories: JobHistories;
  readonly removals: JobRemovals;
  private readonly keys: Keys;
  private readonly leader: LeaderWrites;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
    private readonly retention: Retention = DEFAULT_RETENTION,
    /** Of the leader that writes: writes throw LEADERSHIP_LOST once there is a later one. */
    leaderNumber: number | null = null,
  ) {
    const keys = new Keys(keyPrefix);
    const leader = new LeaderWrites(redis, keys, leaderNumber);
    this.index = new JobIndex(redis, keys);
    this.events = new JobEvents(redis, keys);
    this.histories = new JobHistories(redis, keys, leader, retention);
    this.removals = new JobRemovals(redis, keys, leader);
    this.keys = keys;
    this.leader = leader;
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
    const [known, broken] = (await this.leader.write(
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
        encodeEvent(id, event),
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
    return readRecord(this.redis, id, this.keys.job(id));
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
    const reply = (await this.leader.write(
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
        event === undefined ? '' : encodeEvent(id, event, time),
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
        change.sequence === undefined ? '' : `${this.leader.leaderNumber ?? ''}:${change.sequence}`,
        this.retention.stateChanges,
      ],
    )) as [number, string];
    if (reply[0] === -2) throw quotaExceeded('the owner', reply[1], change.limits);
    if (reply[0] === -1) return { outcome: 'missing' };
    if (reply[0] === 0) return { outcome: 'refused', state: reply[1] as JobState };
    if (event === undefined || reply[1] === '') return { outcome: 'done', event: null };
    return { outcome: 'done', event: { ...event, id: reply[1], jobId: id, time } };
  }

  /** The number of a new attempt: each number is given once, ever. */
  async nextAttempt(id: string): Promise<number> {
    return (await this.leader.write(NEXT_ATTEMPT, [this.keys.attempt(id)], [])) as number;
  }

  /** Throws STORE_UNAVAILABLE unless Redis answers. */
  async ping(): Promise<void> {
    await run(() => this.redis.ping());
  }
}

function encodeEvent(jobId: string, event: NewJobEvent, time = new Date().toISOString()): string {
  return JSON.stringify({ ...event, jobId, time });
}

function quotaExceeded(owner: string, broken: string, limits: TokenLimits | undefined): StoreError {
  const most = limits?.[broken as keyof TokenLimits] ?? 0;
  return new StoreError('QUOTA_EXCEEDED', `${owner} may have ${broken} of at most ${most}`);
}
