import {
  faultPhases,
  ringPhases,
  type FaultPhase,
  type FaultRequestInput,
} from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { disturbedCluster } from '../system/disturbed-cluster.js';
import { expectExactLedger } from './recovery.js';

/** Behind an evaluation, before a checkpoint, and far from the end. */
const STEP = 9;
/** A rank stays in its phase for so long: time enough to kill the coordinator. */
const IN_PHASE_MS = 4_000;

interface Case {
  readonly phase: FaultPhase;
  readonly rank: number;
}

const everyCase: readonly Case[] = faultPhases.flatMap((phase) =>
  [0, 1].map((rank) => ({ phase, rank })),
);
/** Rank 0 reports steps and stores checkpoints; of the ring and of the vote it has its half. */
const someCases: readonly Case[] = [
  { phase: 'reduceScatter', rank: 1 },
  { phase: 'vote', rank: 0 },
  { phase: 'checkpoint', rank: 0 },
];
const isFull = process.env.SKIPRING_CHAOS === 'full';

/** Holds a rank in a phase without ending anything. */
function stay({ phase, rank }: Case): FaultRequestInput['fault'] {
  const place = { rank, step: STEP, durationMs: IN_PHASE_MS };
  const ringPhase = ringPhases.find((half) => half === phase);
  return ringPhase === undefined
    ? { kind: 'hang', ...place, phase: phase as Exclude<FaultPhase, 'reduceScatter' | 'allGather'> }
    : { kind: 'delaySegments', ...place, phase: ringPhase };
}

describe('the coordinator is killed and comes back', () => {
  const disturbed = disturbedCluster({ environment: { SKIPRING_FAULTS: '1' } });

  it.each(isFull ? everyCase : someCases)('while rank $rank is in $phase', async (where) => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    const queued = await job.submit({ min: 2 });
    const { id } = await cluster.client.armFault({ jobId: watch.id, fault: stay(where) });
    const { time } = await watch.first(
      'fault',
      ({ faultId, state }) => faultId === id && state === 'fired',
    );
    await cluster.killCoordinator();
    expect(Date.now() - Date.parse(time)).toBeLessThan(IN_PHASE_MS);
    await cluster.startCoordinator();

    const next = await watch.generation(1, 2);
    expect([...next.workers].sort()).toEqual([...workers].sort());
    expect(next.step).toBeGreaterThanOrEqual(STEP - 1);
    expect(next.step).toBeLessThan(job.totalSteps);
    // Neither is lost, and the one that ran has gone on rather than begun again.
    for (const followed of [watch, queued]) {
      await job.expectSame(followed);
      await expectExactLedger(cluster, followed);
      expect(followed.ofType('state').filter(({ state }) => state === 'succeeded')).toHaveLength(1);
      followed.close();
    }
    for (const worker of workers) expect(cluster.worker(worker).isRunning).toBe(true);
  });
});
