import { finalJobStates, type JobSpec, type JobSummary, type JobView } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import type { LiveJob } from '../scheduling/ports.js';

/** What users see of a record. */
export function viewOf(record: JobRecord): JobView {
  const view: JobView & Partial<JobRecord> = { ...record };
  delete view.attemptsBefore;
  delete view.entries;
  return view;
}

/** With what only the scheduler knows; what is stored of a job that has ended is all there is. */
export function withLive<T extends JobSummary>(
  view: T,
  { generation, workers, reason, imagesPerSecond, etaMs }: LiveJob,
): T {
  if (finalJobStates.includes(view.state)) return view;
  const progress = { ...view.progress, imagesPerSecond, etaMs };
  return { ...view, generation, reason, workers: [...workers], progress };
}

/** A job that has just been submitted. */
export function newRecord(
  id: string,
  {
    spec,
    owner,
    reason,
    totals,
  }: {
    spec: JobSpec;
    owner: string;
    reason: string;
    totals: { totalSteps: number; totalEpochs: number };
  },
): JobRecord {
  return {
    id,
    name: spec.name,
    owner,
    state: 'pending',
    reason,
    attempt: 0,
    generation: 0,
    workers: [],
    progress: { step: 0, epoch: 0, imagesPerSecond: 0, etaMs: null, ...totals },
    lastStep: null,
    lastEvaluation: null,
    bestAccuracy: null,
    modelSha256: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    finishedAt: null,
    spec,
    attemptsBefore: 0,
    entries: 1,
  };
}
