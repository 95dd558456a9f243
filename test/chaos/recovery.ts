import type { FaultView } from '@skipring/protocol';
import { expect } from 'vitest';
import type { JobWatch } from '../system/job-watch.js';
import type { ProcessCluster } from '../system/process-cluster.js';
import type { ServerProcess } from '../system/server-process.js';
import { until } from '../support/until.js';

/** From the fault to when a survivor's ring is broken. */
export const ABORT_LIMIT_MS = 1_000;
/** From the fault to the next committed step. */
export const RECOVERY_LIMIT_MS = 3_000;

/** The fault once it has struck. */
export async function struck(cluster: ProcessCluster, id: string): Promise<FaultView> {
  return until(`${id} strikes`, async () => {
    const view = (await cluster.client.faults()).find((fault) => fault.id === id);
    return view?.state === 'fired' ? view : null;
  });
}

/**
 * How long after the fault each survivor was out of that generation's ring, in ms: it broke, or the
 * coordinator was faster and the survivor left it for the next.
 */
export function abortTimes(
  { firedAt, jobId }: FaultView,
  survivors: readonly ServerProcess[],
  generation: number,
): number[] {
  const firedMs = Date.parse(firedAt!);
  return survivors.map((survivor) => {
    const times = [...survivor.logged('ringBroken'), ...survivor.logged('ringLeft')]
      .filter((line) => line.jobId === jobId && line.generation === generation)
      .map(({ time }) => Number(time));
    expect(times).not.toEqual([]);
    return Math.min(...times) - firedMs;
  });
}

/** Each sample went into the model exactly once. */
export async function expectExactLedger(cluster: ProcessCluster, watch: JobWatch): Promise<void> {
  const { isExact, epochs } = await cluster.client.ledger(watch.id);
  expect(isExact).toBe(true);
  for (const { verdict } of epochs) expect(verdict).toBe('exact');
}
