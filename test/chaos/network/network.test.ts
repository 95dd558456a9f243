import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DisturbedJob } from '../../system/disturbed-job.js';
import { ProcessCluster } from '../../system/process-cluster.js';
import { expectExactLedger } from '../recovery.js';
import { TestNetwork } from './test-network.js';

/** Steps to see before a fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;
const WORKERS = [0, 1] as const;
/** Each takes seconds while packets are lost and late. */
const IMPAIRED_STEPS = 8;
/** Longer than the five seconds after which a silent neighbour is gone. */
const PARTED_MS = 8_000;

const opened = TestNetwork.open(WORKERS.length);
const network = typeof opened === 'string' ? null : opened;
const note = typeof opened === 'string' ? `: ${opened}` : '';

describe.skipIf(network === null)(`on a network of namespaces${note}`, () => {
  const links = network!;
  let cluster: ProcessCluster;
  let job: DisturbedJob;
  /** Worker ids by link. */
  let ids: string[];

  beforeAll(async () => {
    cluster = await ProcessCluster.start(0, { environment: { SKIPRING_HOST: '0.0.0.0' } });
    await addWorkers();
    job = await DisturbedJob.prepare(cluster, { numEpochs: 8 });
  });
  beforeEach(async () => {
    await cluster.haveWorkers(0);
    await addWorkers();
  });
  afterEach(() => {
    for (const worker of WORKERS) expect(links.mend(worker)).toBeNull();
  });
  afterAll(async () => {
    await cluster.stop();
    links.close();
  });

  async function addWorkers(): Promise<void> {
    const url = `http://${links.hostAddress}:${cluster.port}`;
    ids = await Promise.all(
      WORKERS.map((worker) =>
        cluster.addWorker(
          url,
          { SKIPRING_WORKER_HOST: links.address(worker) },
          links.inside(worker),
        ),
      ),
    );
  }

  it('one packet in ten is lost, and all 50 ms late: the job ends with the same model', async () => {
    const watch = await job.submit({ min: 2 });
    await watch.step(BEFORE_FAULT);
    for (const worker of WORKERS) expect(links.impair(worker, 'lossy')).toBeNull();
    await watch.step(BEFORE_FAULT + IMPAIRED_STEPS);
    for (const worker of WORKERS) expect(links.mend(worker)).toBeNull();
    await job.expectSame(watch);
    await expectExactLedger(cluster, watch);
    watch.close();
  });

  it('a worker is cut off: the other goes on, and the first comes back when it can', async () => {
    const watch = await job.submit();
    const { workers } = await watch.generation(1);
    expect(workers).toHaveLength(2);
    await watch.step(BEFORE_FAULT);
    expect(links.impair(1, 'cutOff')).toBeNull();
    const second = await watch.generation(2);
    expect(second.workers).toEqual([ids[0]]);
    expect(second.step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    await watch.step(second.step + 1);
    expect(links.mend(1)).toBeNull();
    await job.expectSame(watch);
    await expectExactLedger(cluster, watch);
    await cluster.connected(ids[1]!);
    watch.close();
  });

  it('two workers are parted from each other alone, for a while: they go on afterwards', async () => {
    const watch = await job.submit({ min: 2 });
    await watch.step(BEFORE_FAULT);
    expect(links.part(0, 1)).toBeNull();
    await pause(PARTED_MS);
    expect(links.mend(0)).toBeNull();
    await job.expectSame(watch);
    await expectExactLedger(cluster, watch);
    watch.close();
  });
});
