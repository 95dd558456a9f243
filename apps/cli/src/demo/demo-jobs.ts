import type { SkipringClient } from '@skipring/client';
import type { JobState } from '@skipring/protocol';

/** Names of the demo's jobs, by what they train on. */
export const DEMO_JOBS = { generated: 'demo-glyphs', given: 'demo-fashion-mnist' } as const;
const UNFINISHED: readonly JobState[] = ['pending', 'waiting', 'running'];

/**
 * Cancels what demos left unfinished, so that no later cluster on the same data goes on with it. The
 * jobs can be resumed.
 */
export async function cancelDemoJobs(
  client: Pick<SkipringClient, 'jobs' | 'cancel'>,
): Promise<void> {
  const names: readonly string[] = Object.values(DEMO_JOBS);
  for (const state of UNFINISHED) {
    const { items } = await client.jobs({ state, limit: 200 });
    for (const job of items) if (names.includes(job.name)) await client.cancel(job.id);
  }
}
