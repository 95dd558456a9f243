import type { SkipringClient } from '@skipring/client';
import type { JobView } from '@skipring/protocol';
import type { CommandContext } from './context.js';
import { CommandError, EXIT } from './exit-codes.js';
import { ProgressView } from './output/progress.js';

/** Shows a job's events until it has ended; returns its last view. */
export async function followJob(
  context: CommandContext,
  client: SkipringClient,
  job: JobView,
): Promise<JobView> {
  const view = ProgressView.of(context.progress, job);
  try {
    for await (const event of client.follow(job.id, { signal: context.interrupted })) {
      view.show(event);
    }
  } finally {
    view.close();
  }
  if (context.interrupted.aborted) {
    throw new CommandError(
      EXIT.interrupted,
      `stopped following ${job.id}; the job goes on`,
      `skipring status ${job.id}`,
    );
  }
  return client.job(job.id);
}

/** Turns the end of a job into an exit code. */
export function requireSuccess(job: JobView): void {
  switch (job.state) {
    case 'failed':
      throw new CommandError(
        EXIT.jobFailed,
        `job ${job.id} failed: ${job.reason}`,
        `skipring logs ${job.id}`,
      );
    case 'cancelled':
      throw new CommandError(EXIT.jobCancelled, `job ${job.id} was cancelled`);
    default:
      return;
  }
}
