import { describe, expect, it } from 'vitest';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import { expectExactLedger } from './recovery.js';

/** Steps to see before the fault: by then training is under way. */
const BEFORE_FAULT = 4;
/** From SIGTERM on: too short for a coordinator that does not answer, which is missed after 10 s. */
const GRACE_MS = 1_500;
/** Of each step, at least: the job is far from its end when the time is over. */
const STEP_MS = 200;

describe('a worker that nobody releases within its grace period', () => {
  const disturbed = disturbedCluster({
    numWorkers: 1,
    environment: { SKIPRING_FAULTS: '1', SKIPRING_WORKER_GRACE_MS: String(GRACE_MS) },
  });

  it('goes with exit code 1, and the job goes on to the same model', async () => {
    const { cluster, job } = disturbed;
    await cluster.haveWorkers(2);
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    const slow = { kind: 'hang', rank: 0, step: 1, phase: 'dataFetch' } as const;
    const fault = { ...slow, durationMs: STEP_MS, count: job.totalSteps };
    await cluster.client.armFault({ jobId: watch.id, fault });
    await watch.step(BEFORE_FAULT);
    const [stays = '', leaves = ''] = workers;
    cluster.leader.signal('SIGSTOP');
    const leaver = cluster.worker(leaves);
    const signalledMs = performance.now();
    leaver.signal('SIGTERM');
    expect(await leaver.exited).toEqual({ code: 1, signal: null });
    // Timers may be a little early.
    expect(performance.now() - signalledMs).toBeGreaterThan(GRACE_MS - 20);
    cluster.leader.signal('SIGCONT');
    await watch.first(
      'state',
      ({ state, reason }) => state === 'waiting' && reason.includes(`worker ${leaves}`),
    );

    const added = await cluster.addWorker();
    const second = await watch.first('generation', (event) => event.workers.includes(added));
    expect([...second.workers].sort()).toEqual([stays, added].sort());
    expect(second.step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    expect(second.step).toBeLessThan(job.totalSteps);
    const { attempt } = await job.expectSame(watch);
    expect(attempt).toBe(1);
    await expectExactLedger(cluster, watch);
    watch.close();
  });
});
