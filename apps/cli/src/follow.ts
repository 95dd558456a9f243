import type { SkipringClient } from '@skipring/client';
import type { JobEvent, JobView } from '@skipring/protocol';
import type { CommandContext } from './context.js';
import { CommandError, EXIT } from './exit-codes.js';

/**
 * Tells of a job's events until it has ended; returns its last view.
 * @throws CommandError `interrupted` when the user left before
 */
export async function followJob(
  context: CommandContext,
  client: SkipringClient,
  job: JobView,
  onEvent: (event: JobEvent) => void,
): Promise<JobView> {
  try {
    for await (const event of client.follow(job.id, { signal: context.interrupted })) {
      onEvent(event);
    }
    if (!context.interrupted.aborted) return await client.job(job.id);
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
  }
  throw new CommandError(
    EXIT.interrupted,
    `stopped following ${job.id}; the job goes on`,
    `skipring logs -f ${job.id}, or skipring cancel ${job.id}`,
  );
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
      throw new CommandError(
        EXIT.jobCancelled,
        `job ${job.id} was cancelled`,
        `skipring resume ${job.id}`,
      );
    default:
      return;
  }
}
