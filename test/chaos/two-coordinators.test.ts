import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectProblem } from '../support/problem.js';
import { until } from '../support/until.js';
import { DisturbedJob } from '../system/disturbed-job.js';
import { freePort } from '../support/free-port.js';
import { JobWatch } from '../system/job-watch.js';
import { ProcessCluster } from '../system/process-cluster.js';
import type { ServerProcess } from '../system/server-process.js';
import { ForwardingProxy } from '../support/forwarding-proxy.js';

/** Steps to see before a fault: by then training is under way, and far from its end. */
const BEFORE_FAULT = 4;
const EXIT_LEADERSHIP_LOST = 3;

describe('of two coordinators with one store', () => {
  let cluster: ProcessCluster;
  let proxy: ForwardingProxy;
  let job: DisturbedJob;
  let standby: ServerProcess | null = null;
  let standbyPort: number;

  beforeAll(async () => {
    cluster = await ProcessCluster.start(0);
    proxy = await ForwardingProxy.start(cluster.port);
    await cluster.haveWorkers(2, proxy.url);
    job = await DisturbedJob.prepare(cluster);
  });
  beforeEach(async () => {
    await cluster.leader.kill();
    await standby?.kill();
    await cluster.startCoordinator();
    proxy.switchTo(cluster.port);
    await cluster.haveWorkers(2, proxy.url);
    standbyPort = await freePort();
    standby = await cluster.coordinatorAt(standbyPort, 'standby');
  });
  afterAll(async () => {
    await standby?.kill();
    await proxy.close();
    await cluster.stop();
  });

  const health = (kind: 'live' | 'ready'): Promise<Response> =>
    fetch(`http://127.0.0.1:${standbyPort}/health/${kind}`);

  /** Resolves with the job's watch at the standby, once that leads. */
  async function takenOver(watch: JobWatch): Promise<JobWatch> {
    await until('the standby leads', async () => {
      const answer = await health('ready').catch(() => null);
      return answer?.ok === true ? true : null;
    });
    proxy.switchTo(standbyPort);
    const last = watch.events.at(-1)!.id;
    watch.close();
    return new JobWatch(cluster.clientOf(`http://127.0.0.1:${standbyPort}`), watch.id, last);
  }

  it('one leads, and the other refuses all but the question whether it lives', async () => {
    expect((await health('live')).status).toBe(200);
    await expectProblem(await health('ready'), 503, 'NOT_LEADER');
    const jobs = await fetch(`http://127.0.0.1:${standbyPort}/api/v1/jobs`);
    await expectProblem(jobs, 503, 'NOT_LEADER');
    expect((await cluster.client.workers()).length).toBe(2);
  });

  it('the other takes over when the leader is killed, and the job ends with the same model', async () => {
    const watch = await job.submit({ min: 2 });
    await watch.step(BEFORE_FAULT);
    await cluster.killCoordinator();
    const followed = await takenOver(watch);
    const { step } = await followed.generation(1, 2);
    expect(step).toBeGreaterThanOrEqual(BEFORE_FAULT);
    expect(step).toBeLessThan(job.totalSteps);
    await job.expectSame(followed);
    followed.close();
  });

  it('a leader that was frozen and wakes ends itself', async () => {
    const watch = await job.submit({ min: 2 });
    await watch.step(BEFORE_FAULT);
    cluster.leader.signal('SIGSTOP');
    const followed = await takenOver(watch);
    await followed.generation(1, 2);
    cluster.leader.signal('SIGCONT');
    expect(await cluster.leader.exited).toEqual({ code: EXIT_LEADERSHIP_LOST, signal: null });
    expect(cluster.leader.log).toContain('another coordinator leads');
    await job.expectSame(followed);
    followed.close();
  });
});
