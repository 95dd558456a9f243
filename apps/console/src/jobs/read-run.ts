import type { SkipringClient } from '@skipring/client';
import type { EvaluationResult, JobView, StepRecord } from '@skipring/protocol';

const NUM_POINTS = 2_000;

/** A job with its curves. */
export interface Run {
  readonly job: JobView;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationResult[];
}

/** Of runs that have not moved on since, nothing is read again but the job. */
const known = new Map<string, Run>();
const MAX_KNOWN = 64;

export async function readRun(client: SkipringClient, id: string): Promise<Run> {
  const job = await client.job(id);
  const before = known.get(id);
  if (before?.job.progress.step === job.progress.step && before.job.state === job.state) {
    return { ...before, job };
  }
  const [steps, evaluations] = await Promise.all([
    client.metrics(id, { points: NUM_POINTS }),
    client.evaluations(id),
  ]);
  const run = { job, steps, evaluations };
  known.set(id, run);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return run;
}
