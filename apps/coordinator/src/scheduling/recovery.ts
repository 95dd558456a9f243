import type { Halt, QueuedJob } from '@skipring/cluster';
import type { JobRecord } from '@skipring/redis';
import { halts } from './halt-unscheduled.js';
import type { JobQueue, JobStore } from './ports.js';

/** What an earlier coordinator left of a job: whose states it may go on from, and its halt. */
export type Recovered = Pick<QueuedJob, 'expected' | 'halt'>;

const RESTARTED = 'the coordinator restarted';

/**
 * Takes over the jobs that a coordinator left when it stopped, before anything else changes them.
 * Those that ran go to the queue again, and before those that waited: their workers still hold their
 * state, and would forget it for another job. A restart is no failed attempt. Those that were being
 * cancelled or paused still are, until what their workers hold is stored; without a generation, no
 * worker holds any of it, and they have ended.
 *
 * @returns whose states jobs are to wait for: their members', or of whoever they held while they waited
 */
export async function recoverJobs(
  store: JobStore,
  queue: JobQueue,
): Promise<ReadonlyMap<string, Recovered>> {
  const recovered = new Map<string, Recovered>();
  for (const state of ['running', 'waiting'] as const) {
    for (const id of await store.index.idsIn(state)) {
      const record = await store.get(id);
      if (record === null) continue;
      if (state === 'running') recovered.set(id, { expected: record.workers, halt: null });
      else if (record.generation > 0) recovered.set(id, { expected: 'unknown', halt: null });
      await toQueue(store, record);
      await queue.requeue(id, 0);
    }
  }
  for (const how of ['cancelling', 'pausing'] as const) {
    for (const id of await store.index.idsIn(how)) {
      const record = await store.get(id);
      if (record === null) continue;
      const { workers, generation } = record;
      const expected = workers.length > 0 ? workers : 'unknown';
      if (generation > 0) recovered.set(id, { expected, halt: how });
      else await toHalted(store, record, how);
    }
  }
  return recovered;
}

async function toQueue(store: JobStore, record: JobRecord): Promise<void> {
  const { id, attempt, state, attemptsBefore, progress } = record;
  await store.change(id, {
    from: [state],
    fields: {
      state: 'pending',
      reason: RESTARTED,
      workers: [],
      attemptsBefore: attemptsBefore + 1,
      progress: { ...progress, imagesPerSecond: 0, etaMs: null },
    },
    event: { type: 'state', state: 'pending', reason: RESTARTED, attempt },
  });
}

async function toHalted(
  store: JobStore,
  { id, attempt, attemptsBefore }: JobRecord,
  how: Halt,
): Promise<void> {
  const state = halts[how].done;
  const reason = `${state} by a user; ${RESTARTED} meanwhile`;
  const finishedAt = how === 'cancelling' ? new Date().toISOString() : null;
  await store.change(id, {
    from: [how],
    fields: { state, reason, workers: [], finishedAt, attemptsBefore: attemptsBefore + 1 },
    event: { type: 'state', state, reason, attempt },
  });
}
