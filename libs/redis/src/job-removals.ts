import { finalJobStates, type JobState } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import type { ChangeResult } from './job-change.js';
import { readRecord, type JobRecord } from './job-record.js';
import type { Keys } from './keys.js';
import type { LeaderWrites } from './leader-writes.js';
import { BEGIN_REMOVAL, END_REMOVAL } from './scripts.js';

/** Removes jobs in two parts, so that a removal that was cut off can go on. */
export class JobRemovals {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly leader: LeaderWrites,
  ) {}

  /**
   * Takes a job that has ended out of all lists: nobody finds it any more, but its record is kept for
   * `end`.
   */
  async begin(id: string): Promise<ChangeResult> {
    const [outcome, state] = (await this.leader.write(
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
  async get(id: string): Promise<JobRecord | null> {
    return readRecord(this.redis, id, this.keys.removedJob(id));
  }

  /** Ids of jobs whose removal has begun and not ended. */
  async ids(): Promise<string[]> {
    return run(() => this.redis.zrange(this.keys.removedJobs, '0', '-1'));
  }

  /** Removes the last that is stored of a job: its events, histories, ledger and record. */
  async end({ id, owner }: Pick<JobRecord, 'id' | 'owner'>): Promise<void> {
    const { keys } = this;
    const series = (['steps', 'ranks', 'evaluations', 'layers'] as const).map((name) =>
      keys.series(id, name),
    );
    await this.leader.write(
      END_REMOVAL,
      [
        ...[keys.storage(owner), keys.openJobs(owner), keys.removedJobs],
        ...[keys.attempt(id), keys.events(id), keys.layerList(id), keys.sequence(id)],
        ...[...series, keys.ledger(id), keys.removedJob(id)],
      ],
      [id],
    );
  }
}
