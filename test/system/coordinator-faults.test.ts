import { describe, expect, it } from 'vitest';
import { disturbedCluster } from './disturbed-cluster.js';
import { CHECKPOINT_STEPS } from './disturbed-job.js';

/** Steps to see before a fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;

describe('a job ends with the undisturbed model, after the coordinator is killed and comes back', () => {
  const disturbed = disturbedCluster();

  it('to the same workers', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    const { metrics } = await watch.step(BEFORE_FAULT);
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    const next = await watch.generation(1, 2);
    expect([...next.workers].sort()).toEqual([...workers].sort());
    // They kept their state, so what was committed is not done again.
    expect(next.step).toBeGreaterThanOrEqual(metrics.step);
    expect(next.step).toBeLessThan(job.totalSteps);
    const { attempt } = await job.expectSame(watch);
    expect(attempt).toBe(2);
    for (const id of workers) expect(cluster.worker(id).isRunning).toBe(true);
  });

  it('to fewer workers', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.step(BEFORE_FAULT);
    await cluster.killCoordinator();
    await cluster.killWorker(workers[0]!);
    await cluster.startCoordinator();
    const next = await watch.generation(1, 2);
    expect(next.workers).toEqual([workers[1]]);
    expect(next.step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    expect(next.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
  });

  it('to none of the workers that it had', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.first('checkpoint', ({ step }) => step === CHECKPOINT_STEPS);
    await cluster.killCoordinator();
    await Promise.all(workers.map((id) => cluster.killWorker(id)));
    await cluster.startCoordinator();
    const added = await cluster.addWorker();
    const next = await watch.generation(1, 2);
    expect(next.workers).toEqual([added]);
    expect(next.step).toBeGreaterThanOrEqual(CHECKPOINT_STEPS);
    expect(next.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
  });

  it('to a job that is paused before its workers are back', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ min: 2 });
    const { metrics } = await watch.step(BEFORE_FAULT);
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    await cluster.client.pause(watch.id);
    await watch.first('state', ({ state }) => state === 'paused');
    await cluster.client.resume(watch.id);
    const next = await watch.first('generation', ({ attempt }) => attempt > 1);
    expect(next.step).toBeGreaterThanOrEqual(metrics.step);
    expect(next.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
  });

  it('with another job in the queue', async () => {
    const { cluster, job } = disturbed;
    const first = await job.submit({ min: 2 });
    const { metrics } = await first.step(BEFORE_FAULT);
    const second = await job.submit({ min: 2 });
    await second.first('state', ({ state }) => state === 'waiting');
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    const next = await first.generation(1, 2);
    expect(next.step).toBeGreaterThanOrEqual(metrics.step);
    expect(next.step).toBeLessThan(job.totalSteps);
    for (const watch of [first, second]) {
      const { attempt } = await job.expectSame(watch);
      expect(attempt).toBe(2);
    }
  });
});
