import type { WorkerView } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { disturbedCluster } from './disturbed-cluster.js';
import { slowedDown } from './slow-down.js';

describe('a job with a slow worker ends with the undisturbed model', () => {
  const disturbed = disturbedCluster({
    numWorkers: 3,
    environment: { SKIPRING_FAULTS: '1' },
    // A generation is watched for twenty steps before anybody is named.
    job: { numEpochs: 9 },
  });

  const view = async (id: string): Promise<WorkerView | undefined> =>
    (await disturbed.cluster.client.workers()).find((worker) => worker.id === id);

  it('which is named, with the part of the step', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ max: 2 });
    const { workers } = await watch.generation(1);
    const fault = { rank: 1, step: 2, phase: 'dataFetch', durationMs: 150, count: 30 } as const;
    await cluster.client.armFault({ jobId: watch.id, fault: { kind: 'hang', ...fault } });
    const slow = await watch.first('straggler', ({ state }) => state === 'slow');
    const workerId = workers[1]!;
    expect(slow).toMatchObject({ workerId, rank: 1, host: '127.0.0.1', part: 'data' });
    expect(slow.ratio).toBeGreaterThan(1.5);
    const seen = await until(`${workerId} is shown to be slow`, async () => {
      return (await view(workerId))?.slow ?? null;
    });
    expect(seen.part).toBe('data');
    const { generation } = await job.expectSame(watch);
    expect(generation).toBe(1);
    watch.close();
  });

  it('and gets fewer lanes, where they are shared by pace', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ max: 2, stragglers: 'rebalance' });
    const { workers } = await watch.generation(1);
    const slow = workers[1]!;
    const [before, after] = await slowedDown(cluster.worker(slow), async () => {
      const first = (await view(slow))?.lanes.length;
      await watch.generation(2);
      return [first, (await view(slow))?.lanes.length];
    });
    expect([before, after]).toEqual([2, 1]);
    const [named] = watch.ofType('straggler');
    expect(named).toMatchObject({ workerId: slow, state: 'slow', part: 'compute' });
    const second = await watch.generation(2);
    expect([...second.workers].sort()).toEqual([...workers].sort());
    expect(second.reason).toContain('shared by the pace');
    expect(second.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
    watch.close();
  });

  it('whose place is taken by a spare', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ max: 2, stragglers: 'replace' });
    const { workers } = await watch.generation(1);
    const slow = workers[1]!;
    const second = await slowedDown(cluster.worker(slow), () => watch.generation(2));
    expect(second.workers).toContain(workers[0]);
    expect(second.workers).not.toContain(slow);
    expect(second.workers).toHaveLength(2);
    expect(second.reason).toContain(`takes the place of ${slow}, which is slow`);
    expect(second.step).toBeLessThan(job.totalSteps);
    await until(`${slow} is the spare now`, async () =>
      (await view(slow))?.state === 'idle' ? true : null,
    );
    const { generation } = await job.expectSame(watch);
    expect(generation).toBe(2);
    watch.close();
  });
});
