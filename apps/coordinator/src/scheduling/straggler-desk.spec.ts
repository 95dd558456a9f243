import type { CoordinatorMessage } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { StragglerDesk } from './straggler-desk.js';

const fence = { jobId: 'job-1', attempt: 1, generation: 1 };
const member = (workerId: string, lanes: number[]) => ({
  workerId,
  host: `host-of-${workerId}`,
  port: 1,
  lanes,
});
const prepare = {
  type: 'prepare',
  fence,
  members: [member('a', [0, 1]), member('b', [2, 3])],
} as unknown as Extract<CoordinatorMessage, { type: 'prepare' }>;

const step = (rank: number, workerId: string, computeMs: number) => ({
  type: 'rankStep' as const,
  jobId: 'job-1',
  rank,
  workerId,
  parts: { dataWaitMs: 0, computeMs, ringMs: 0, commitMs: 0, applyMs: 0 },
  ringBytes: 0,
  samples: 1,
});

function told(desk: StragglerDesk, msOfB: number): (string | null)[] {
  return Array.from({ length: 12 }, () => [
    desk.observe(step(0, 'a', 100)),
    desk.observe(step(1, 'b', msOfB)),
  ])
    .flat()
    .filter((text) => text !== null);
}

describe('StragglerDesk', () => {
  it('names worker, rank, host and part, once', () => {
    const desk = new StragglerDesk();
    desk.begin(prepare);
    expect(told(desk, 250)).toEqual([
      'worker b (rank 1, host host-of-b) is slow: a lane takes it 2.5 times as long as the others, ' +
        'mostly in compute',
    ]);
  });

  it('says nothing of workers of an earlier generation, nor of a job that has ended', () => {
    const desk = new StragglerDesk();
    desk.begin(prepare);
    expect(desk.observe(step(1, 'of before', 900))).toBeNull();
    desk.end('job-1');
    expect(told(desk, 900)).toEqual([]);
  });
});
