import { finalJobStates } from '@skipring/protocol';
import { EntryRejected, type JobRecord, type RunStore, type WorkQueue } from '@skipring/redis';

/** A job's turn in the queue. Only the newest entry of a job counts. */
export interface JobEntry {
  readonly jobId: string;
  readonly entry: number;
}

/** The queue of jobs: each pending job has one entry that counts. */
export class JobEntries {
  constructor(
    private readonly store: RunStore,
    private readonly queue: WorkQueue<JobEntry>,
  ) {}

  /** Adds the record's entry; to add it again changes nothing. */
  async add({ id, entries, spec }: JobRecord, delayMs: number): Promise<void> {
    const data = { jobId: id, entry: entries };
    await this.queue.add(entryId(data), data, { priority: spec.priority, delayMs });
  }

  /** Puts a pending job in the queue again; an entry that it has no longer counts. */
  async requeue(jobId: string, delayMs: number): Promise<void> {
    const record = await this.store.get(jobId);
    if (record?.state !== 'pending') return;
    const next = { ...record, entries: record.entries + 1 };
    await this.store.change(jobId, { from: ['pending'], fields: { entries: next.entries } });
    await this.add(next, delayMs);
  }

  /** Removes the record's entry. A handler that runs already finds the job no longer pending. */
  async remove({ id, entries }: JobRecord): Promise<void> {
    await this.queue.remove(entryId({ jobId: id, entry: entries }));
  }

  /** The job whose turn it is; null when the entry no longer counts. */
  async pending({ jobId, entry }: JobEntry): Promise<JobRecord | null> {
    const record = await this.store.get(jobId);
    if (record === null) throw new EntryRejected(`there is no job ${jobId}`);
    if (finalJobStates.includes(record.state) || record.entries !== entry) return null;
    return record.state === 'pending' ? record : null;
  }

  /** After a restart: entries that got lost between the store and the queue are added again. */
  async recover(): Promise<void> {
    for (const id of await this.store.index.idsIn('pending')) {
      const record = await this.store.get(id);
      if (record === null) continue;
      // An entry that is still there keeps its delay.
      await this.add(record, 0);
    }
  }
}

function entryId({ jobId, entry }: JobEntry): string {
  return `${jobId}-${entry}`;
}
