import { beforeAll, describe, expect, it } from 'vitest';
import { disturbedCluster } from './disturbed-cluster.js';
import { CHECKPOINT_STEPS, DisturbedJob, NUM_TRAIN, STEPS_PER_EPOCH } from './disturbed-job.js';
import { JobWatch } from './job-watch.js';

/** Steps to see before a fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;
/** Makes an evaluation long enough to be hit: 13 batches on two workers. */
const LONG_TEST_SPLIT = 1_601;

describe('a job ends with the undisturbed model', () => {
  const disturbed = disturbedCluster();

  it.each([0, 1])('after rank %i is killed: the survivor goes on', async (rank) => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.step(BEFORE_FAULT);
    await cluster.killWorker(workers[rank]!);
    const second = await watch.generation(2);
    expect(workers).toHaveLength(2);
    expect(second.workers).toEqual([workers[1 - rank]]);
    expect(second.step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    expect(second.step).toBeLessThan(job.totalSteps);
    const { attempt } = await job.expectSame(watch);
    expect(attempt).toBe(1);
    const { isExact, epochs } = await cluster.client.ledger(watch.id);
    expect(isExact).toBe(true);
    expect(epochs.map(({ verdict, samples }) => [verdict, samples])).toEqual(
      Array.from({ length: job.totalSteps / STEPS_PER_EPOCH }, () => ['exact', NUM_TRAIN]),
    );
    const generations = epochs.flatMap(({ ranges }) => ranges.map(({ generation }) => generation));
    expect(new Set(generations)).toEqual(new Set([1, 2]));
  });

  it('after a worker is killed and another takes its place', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    await watch.step(BEFORE_FAULT);
    await cluster.killWorker(workers[0]!);
    await watch.first(
      'state',
      ({ state, reason }) => state === 'waiting' && reason.includes('lost'),
    );
    const added = await cluster.addWorker();
    const second = await watch.generation(2);
    expect(second.workers).toEqual([workers[1], added]);
    // The survivor held the state: no committed step is lost.
    expect(second.step).toBe(watch.lastStepBefore(second));
    await job.expectSame(watch);
  });

  it('after a worker is frozen and wakes behind the others', async () => {
    const { cluster, job } = disturbed;
    await cluster.haveWorkers(3);
    const watch = await job.submit({ min: 2 });
    const { workers } = await watch.generation(1);
    const [frozen, killed, survivor] = workers as [string, string, string];
    await watch.step(BEFORE_FAULT);
    cluster.worker(frozen).signal('SIGSTOP');
    const second = await watch.generation(2);
    expect(second.workers).toEqual([killed, survivor]);
    expect(second.reason).toContain(`worker ${frozen} is lost (no heartbeat for`);
    await watch.step(second.step + 2);
    await cluster.killWorker(killed);
    await watch.first(
      'state',
      ({ state, reason }) => state === 'waiting' && reason.includes('lost'),
    );
    cluster.worker(frozen).signal('SIGCONT');
    const third = await watch.generation(3);
    expect(third.workers).toEqual([survivor, frozen]);
    expect(third.step).toBeGreaterThanOrEqual(second.step + 2);
    expect(third.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
  });

  it('after SIGTERM drains a worker', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.step(BEFORE_FAULT);
    const leaver = cluster.worker(workers[0]!);
    leaver.signal('SIGTERM');
    const second = await watch.generation(2);
    expect(second.workers).toEqual([workers[1]]);
    expect(second.reason).toContain(`worker ${workers[0]} leaves (SIGTERM)`);
    expect(second.step).toBe(watch.lastStepBefore(second));
    expect(second.step).toBeLessThan(job.totalSteps);
    expect(await leaver.exited).toEqual({ code: 0, signal: null });
    await job.expectSame(watch);
    // A drain is no loss.
    expect(watch.problems).toEqual([]);
  });

  it('after SIGTERM drains all workers: no step is lost', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.step(BEFORE_FAULT);
    const leavers = workers.map((id) => cluster.worker(id));
    for (const leaver of leavers) leaver.signal('SIGTERM');
    const exits = await Promise.all(leavers.map(({ exited }) => exited));
    expect(exits).toEqual(leavers.map(() => ({ code: 0, signal: null })));
    const added = await cluster.addWorker();
    const next = await watch.first('generation', (event) => event.workers.includes(added));
    expect(next.generation).toBeGreaterThan(1);
    expect(next.step).toBe(watch.lastStepBefore(next));
    expect(next.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
  });

  it('after all workers are killed: new ones go on from the last checkpoint', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await watch.first('checkpoint', ({ step }) => step === CHECKPOINT_STEPS);
    await watch.step(CHECKPOINT_STEPS + 2);
    await Promise.all(workers.map((id) => cluster.killWorker(id)));
    const added = await Promise.all([cluster.addWorker(), cluster.addWorker()]);
    const next = await watch.first('generation', ({ workers }) => added.includes(workers[0]!));
    const stored = watch.before(next, 'checkpoint').map(({ step }) => step);
    expect(next.step).toBe(stored.at(-1));
    expect(next.step).toBeGreaterThanOrEqual(CHECKPOINT_STEPS);
    expect(next.step).toBeLessThan(watch.lastStepBefore(next));
    await job.expectSame(watch);
  });

  it('after a job of a higher priority takes its workers, and gives them back', async () => {
    const { cluster, job } = disturbed;
    const low = await job.submit({ min: 2 });
    await low.step(BEFORE_FAULT);
    const high = await job.submit({ min: 2 }, { priority: 90 });
    await low.first(
      'state',
      ({ state, reason }) => state === 'waiting' && reason.includes('of a higher priority'),
    );
    await job.expectSame(high);
    const next = await low.generation(2);
    expect(next.workers).toHaveLength(2);
    // Its state was stored before its workers left.
    expect(next.step).toBe(low.lastStepBefore(next));
    expect(next.step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    expect(next.step).toBeLessThan(job.totalSteps);
    const { attempt } = await job.expectSame(low);
    expect(attempt).toBe(1);
    expect((await cluster.client.ledger(low.id)).isExact).toBe(true);
  });

  it('after it is cancelled and resumed', async () => {
    const { cluster, job } = disturbed;
    const watch = await job.submit();
    await watch.step(BEFORE_FAULT);
    await cluster.client.cancel(watch.id);
    expect((await watch.ended()).state).toBe('cancelled');
    const lastStep = watch.ofType('step').at(-1)!.metrics.step;
    expect(lastStep).toBeLessThan(job.totalSteps);
    // The workers have forgotten the job: all that is left of it is stored.
    await cluster.haveWorkers(2);
    await cluster.client.resume(watch.id);
    const resumed = new JobWatch(cluster.client, watch.id, watch.events.at(-1)!.id);
    const { step } = await resumed.generation(1, 2);
    expect(step).toBeGreaterThanOrEqual(lastStep);
    expect(step).toBeLessThan(job.totalSteps);
    const { attempt } = await job.expectSame(resumed);
    expect(attempt).toBe(2);
  });

  describe('after a worker is killed while the model is evaluated', () => {
    let evaluated: DisturbedJob;

    beforeAll(async () => {
      const { cluster } = disturbed;
      await cluster.haveWorkers(2);
      evaluated = await DisturbedJob.prepare(cluster, { numEpochs: 2, numTest: LONG_TEST_SPLIT });
    });

    it.each([0, 1])('rank %i', async (rank) => {
      const { cluster } = disturbed;
      const watch = await evaluated.submit();
      const { workers } = await watch.generation(1);
      await watch.step(STEPS_PER_EPOCH);
      await cluster.killWorker(workers[rank]!);
      const second = await watch.generation(2);
      // All steps of the epoch were committed, and the evaluation behind them had not ended.
      expect(second.step).toBe(STEPS_PER_EPOCH);
      expect(watch.before(second, 'evaluation')).toEqual([]);
      await evaluated.expectSame(watch);
      const steps = watch.ofType('evaluation').map(({ result }) => result.step);
      expect(steps).toEqual([STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH]);
    });
  });
});
