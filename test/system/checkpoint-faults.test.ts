import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHECKPOINT_STEPS, DisturbedJob } from './disturbed-job.js';
import { HoldingProxy } from './holding-proxy.js';
import { ProcessCluster } from './process-cluster.js';

describe('a job ends with the undisturbed model, when while a checkpoint is stored', () => {
  let cluster: ProcessCluster;
  let proxy: HoldingProxy;
  let job: DisturbedJob;

  beforeAll(async () => {
    cluster = await ProcessCluster.start(0);
    proxy = await HoldingProxy.start(cluster.port);
    await cluster.haveWorkers(2, proxy.url);
    job = await DisturbedJob.prepare(cluster);
  });
  beforeEach(() => cluster.haveWorkers(2, proxy.url));
  afterAll(async () => {
    await cluster.stop();
    await proxy.close();
  });

  const stored = (events: readonly { step: number }[]): number =>
    events.filter(({ step }) => step === CHECKPOINT_STEPS).length;

  it('the worker is killed in the middle of the upload', async () => {
    const held = proxy.hold('request', CHECKPOINT_STEPS);
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await held;
    await cluster.killWorker(workers[0]!);
    const second = await watch.generation(2);
    expect(second.workers).toEqual([workers[1]]);
    // Training went on beside the upload.
    expect(second.step).toBeGreaterThanOrEqual(CHECKPOINT_STEPS);
    expect(second.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
    expect(stored(watch.before(second, 'checkpoint'))).toBe(0);
  });

  it('the worker is killed before it knows that the checkpoint is stored', async () => {
    const held = proxy.hold('answer', CHECKPOINT_STEPS);
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await held;
    await cluster.killWorker(workers[0]!);
    const second = await watch.generation(2);
    expect(second.step).toBeGreaterThanOrEqual(CHECKPOINT_STEPS);
    expect(second.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
    expect(stored(watch.before(second, 'checkpoint'))).toBe(1);
    const models = watch.ofType('checkpoint').filter(({ step }) => step === CHECKPOINT_STEPS);
    expect(new Set(models.map(({ modelSha256 }) => modelSha256)).size).toBe(1);
  });

  it('all workers are killed in the middle of the upload', async () => {
    const held = proxy.hold('request', CHECKPOINT_STEPS);
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await held;
    await Promise.all(workers.map((id) => cluster.killWorker(id)));
    const added = await cluster.addWorker(proxy.url);
    const next = await watch.first('generation', (event) => event.workers.includes(added));
    // From an earlier checkpoint, of the best model so far, or from the beginning.
    const known = watch.before(next, 'checkpoint').map(({ step }) => step);
    expect(next.step).toBe(known.at(-1) ?? 0);
    expect(next.step).toBeLessThan(CHECKPOINT_STEPS);
    await job.expectSame(watch);
  });

  it('the coordinator is killed in the middle of the upload, and comes back', async () => {
    const held = proxy.hold('request', CHECKPOINT_STEPS);
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    await held;
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    const next = await watch.generation(1, 2);
    expect(workers).toContain(next.workers[0]);
    // The workers kept their state.
    expect(next.step).toBeGreaterThanOrEqual(CHECKPOINT_STEPS);
    expect(next.step).toBeLessThan(job.totalSteps);
    await job.expectSame(watch);
    expect(stored(watch.before(next, 'checkpoint'))).toBe(0);
  });
});
