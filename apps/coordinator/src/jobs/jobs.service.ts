import type { JobPage, JobSpec, JobSummary, JobView } from '@skipring/protocol';
import type { JobQuery, JobRecord, RunStore } from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import { HttpProblem } from '../http/problem.js';
import type { Scheduler } from '../scheduling/ports.js';
import type { InitialWeightsStore } from '../weights/initial-weights.js';
import type { Admission } from './admission.js';
import type { EventHub } from './event-hub.js';
import { idempotencyOf } from './idempotency.js';
import type { JobEntries, JobEntry } from './job-entries.js';
import { isJobId, newJobId } from './job-id.js';
import { newRecord, viewOf, withLive } from './job-view.js';

export interface JobsParts {
  readonly store: RunStore;
  readonly entries: JobEntries;
  readonly admission: Admission;
  readonly weights: Pick<InitialWeightsStore, 'pin'>;
  readonly scheduler: Scheduler;
  readonly hub: EventHub;
  readonly log: Logger;
}

/** What users do with jobs; the scheduler runs them. */
export class JobsService {
  constructor(private readonly parts: JobsParts) {}

  /**
   * Stores a job and queues it. With a known idempotency key nothing new is made and the job of the
   * first submission comes back.
   * @throws HttpProblem REQUEST_INVALID, DATA_SET_UNKNOWN, IDEMPOTENCY_KEY_INVALID;
   *   StoreError IDEMPOTENCY_KEY_REUSED, QUOTA_EXCEEDED
   */
  async submit(
    given: JobSpec,
    { name: owner, limits }: Principal,
    idempotencyKey: string | undefined,
  ): Promise<{ job: JobView; created: boolean }> {
    const { store, entries, admission, weights, log } = this.parts;
    const idempotency = idempotencyOf(idempotencyKey, owner, given);
    const { reason, ...totals } = await admission.atSubmission(given);
    const spec = await weights.pin(given);
    const fresh = newRecord(newJobId(), { spec, owner, reason, totals });
    const event = { type: 'state', state: 'pending', reason, attempt: 0 } as const;
    const { id, created } = await store.create(fresh, event, idempotency, limits);
    const record = created ? fresh : await store.get(id);
    if (record === null) {
      const detail = `this idempotency key made job ${id}, which was deleted`;
      throw new HttpProblem('IDEMPOTENCY_KEY_REUSED', detail);
    }
    // Also for a repeated submission: the first may have been cut off before its entry was added.
    if (record.state === 'pending') await entries.add(record, spec.delayMs);
    if (created) log.info({ jobId: id, name: spec.name }, 'job submitted');
    return { job: this.live(record), created };
  }

  /** Throws HttpProblem JOB_UNKNOWN. */
  async get(id: string): Promise<JobView> {
    return this.live(await this.record(id));
  }

  async list(query: JobQuery): Promise<JobPage> {
    const { items, ...rest } = await this.parts.store.index.list(query);
    return { items: items.map((record) => this.live(record)), ...rest };
  }

  /**
   * A JobSummaryPage as JSON. Thousands of jobs are not parsed and written again for it: most are as
   * they are stored, and those that have an attempt are as live as in `list`.
   */
  async summaries(query: JobQuery): Promise<string> {
    const { items, nextCursor, total } = await this.parts.store.index.summaries(query);
    const objects = items.map(({ id, json }) => {
      const live = this.parts.scheduler.liveJob(id);
      return live === null ? json : JSON.stringify(withLive(JSON.parse(json) as JobSummary, live));
    });
    const rest = JSON.stringify({ nextCursor, total }).slice(1);
    return `{"items":[${objects.join(',')}],${rest}`;
  }

  /**
   * Cancels a job. One that runs stores a checkpoint first, and to cancel it again meanwhile changes
   * nothing.
   * @throws HttpProblem JOB_UNKNOWN, FORBIDDEN, JOB_FINAL when it has ended, also by an earlier cancel
   */
  async cancel(id: string, principal: Principal): Promise<JobView> {
    const { scheduler, entries, hub, log } = this.parts;
    const before = await this.owned(id, principal);
    const result = await scheduler.cancel(id);
    if (result === 'missing') throw unknownJob(id);
    if (result === 'refused') {
      const { state } = await this.record(id);
      throw new HttpProblem('JOB_FINAL', `job ${id} has ended already: it is ${state}`);
    }
    if (before.state === 'pending') await entries.remove(before);
    hub.publish(id);
    log.info({ jobId: id, result }, 'job cancel');
    return this.get(id);
  }

  /**
   * Pauses a job: one that runs stores a checkpoint and frees its workers; one that waits for its turn
   * lets others go first. To pause it again changes nothing.
   * @throws HttpProblem JOB_UNKNOWN, FORBIDDEN, JOB_NOT_PAUSABLE when it has ended or is being cancelled
   */
  async pause(id: string, principal: Principal): Promise<JobView> {
    const { scheduler, entries, hub, log } = this.parts;
    const before = await this.owned(id, principal);
    if (before.state === 'paused') return this.live(before);
    const result = await scheduler.pause(id);
    if (result === 'missing') throw unknownJob(id);
    if (result === 'refused') {
      const { state } = await this.record(id);
      throw new HttpProblem('JOB_NOT_PAUSABLE', `job ${id} is ${state} and can't be paused`);
    }
    if (before.state === 'pending') await entries.remove(before);
    hub.publish(id);
    log.info({ jobId: id, result }, 'job pause');
    return this.get(id);
  }

  /**
   * Queues a paused, cancelled or failed job again; it goes on from its last checkpoint.
   * @throws HttpProblem JOB_UNKNOWN, FORBIDDEN, JOB_NOT_RESUMABLE; StoreError QUOTA_EXCEEDED
   */
  async resume(id: string, principal: Principal): Promise<JobView> {
    const { store, entries, hub, log } = this.parts;
    const record = await this.owned(id, principal);
    const reason = 'resumed: waits for its turn';
    const next: JobRecord = {
      ...record,
      state: 'pending',
      reason,
      // A job that had ended gets all of its tries again.
      attemptsBefore: record.state === 'paused' ? record.attemptsBefore : record.attempt,
      entries: record.entries + 1,
      finishedAt: null,
    };
    const { state, attemptsBefore, entries: numEntries, finishedAt, attempt } = next;
    const result = await store.change(id, {
      from: ['paused', 'cancelled', 'failed'],
      fields: { state, reason, attemptsBefore, entries: numEntries, finishedAt },
      event: { type: 'state', state, reason, attempt },
      // An admin may resume what its owner could not.
      ...(principal.name === record.owner ? { limits: principal.limits } : {}),
    });
    if (result.outcome === 'missing') throw unknownJob(id);
    if (result.outcome === 'refused') {
      throw new HttpProblem(
        'JOB_NOT_RESUMABLE',
        `job ${id} is ${result.state}, expected paused, cancelled or failed`,
      );
    }
    await entries.add(next, 0);
    hub.publish(id);
    log.info({ jobId: id }, 'job resumed');
    return this.get(id);
  }

  /** A job's turn has come. The scheduler takes it over; nothing is trained in here. */
  async takeTurn(entry: JobEntry): Promise<void> {
    const { entries, admission, scheduler, hub } = this.parts;
    const record = await entries.pending(entry);
    if (record === null) return;
    const isAdmitted = await admission.atTurn(record);
    hub.publish(record.id);
    if (isAdmitted) await scheduler.enqueue(record.id);
  }

  /** A data set became ready or failed: jobs that waited for it get their turn. */
  async dataSetSettled(name: string): Promise<void> {
    const { store, entries } = this.parts;
    for (const id of await store.index.idsIn('pending')) {
      const record = await store.get(id);
      if (record?.spec.data.dataSet !== name) continue;
      const dueMs = Date.parse(record.createdAt) + record.spec.delayMs;
      await entries.requeue(id, Math.max(0, dueMs - Date.now()));
    }
  }

  /** Throws HttpProblem JOB_UNKNOWN. */
  async record(id: string): Promise<JobRecord> {
    const record = await this.find(id);
    if (record === null) throw unknownJob(id);
    return record;
  }

  /** Null when there is no such job, or none any more. */
  async find(id: string): Promise<JobRecord | null> {
    return isJobId(id) ? this.parts.store.get(id) : null;
  }

  /** A job that the principal may change. Throws HttpProblem JOB_UNKNOWN, FORBIDDEN. */
  private async owned(id: string, principal: Principal): Promise<JobRecord> {
    const record = await this.record(id);
    requireOwner(principal, record.owner, `job ${id}`);
    return record;
  }

  private live(record: JobRecord): JobView {
    const live = this.parts.scheduler.liveJob(record.id);
    const view = viewOf(record);
    return live === null ? view : withLive(view, live);
  }
}

export function unknownJob(id: string): HttpProblem {
  return new HttpProblem('JOB_UNKNOWN', `no job ${id}`);
}
