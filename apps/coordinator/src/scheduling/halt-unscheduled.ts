import type { Halt } from '@skipring/cluster';
import { finalJobStates, jobStates, type JobState } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import type { HaltResult } from './ports.js';
import type { RecorderParts } from './job-recorder.js';

const isOpen = (state: JobState): boolean => !finalJobStates.includes(state);

/** What becomes of a job that is halted, and out of which states. */
export const halts = {
  cancelling: { input: 'cancelRequested', done: 'cancelled', from: jobStates.filter(isOpen) },
  pausing: {
    input: 'pauseRequested',
    done: 'paused',
    from: jobStates.filter((state) => isOpen(state) && state !== 'cancelling'),
  },
} as const satisfies Record<Halt, { input: string; done: JobState; from: JobState[] }>;

/**
 * Cancels or pauses a job that nobody runs. To be called without a wait since that was seen: a turn
 * that comes from now on finds the job halted.
 */
export async function haltUnscheduled(
  { store, onEvent }: Pick<RecorderParts, 'store' | 'onEvent'>,
  { id, attempt }: Pick<JobRecord, 'id' | 'attempt'>,
  how: Halt,
): Promise<HaltResult> {
  const { done, from } = halts[how];
  const reason = `${done} by a user`;
  const finishedAt = how === 'cancelling' ? new Date().toISOString() : null;
  const { outcome } = await store.change(id, {
    from,
    fields: { state: done, reason, workers: [], finishedAt },
    event: { type: 'state', state: done, reason, attempt },
  });
  if (outcome === 'missing') return 'missing';
  if (outcome === 'refused') return 'refused';
  onEvent({ type: 'state', jobId: id });
  return done;
}
