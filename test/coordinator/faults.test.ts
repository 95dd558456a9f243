import { faultViewSchema } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  type TestCoordinator,
} from '../support/coordinator.js';
import { FakeWorker, helloOf } from '../support/fake-worker.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

const kill = { kind: 'kill', rank: 0, step: 3, phase: 'vote' };

describe('faults over the API', () => {
  let redis: TestRedis;
  let coordinator: TestCoordinator;

  beforeAll(async () => {
    redis = await startTestRedis();
    coordinator = await startCoordinator(redis.url, { takesFaults: true });
    await settleDataSet(coordinator, tinyGlyphs);
  });
  afterAll(async () => {
    await coordinator.close();
    await redis.stop();
  });

  const arm = (jobId: string, fault: object): Promise<Response> =>
    coordinator.send('/faults', { json: { jobId, fault } });

  async function workerThat(takesFaults: boolean): Promise<FakeWorker> {
    const worker = await FakeWorker.open(coordinator.url);
    worker.send(helloOf(`takes-${takesFaults}`, { takesFaults }));
    await worker.next('welcome');
    return worker;
  }

  it('are refused by a coordinator that was not told to take them', async () => {
    const plain = await startCoordinator(redis.url);
    for (const answer of [
      await plain.send('/faults'),
      await plain.send('/faults', { json: { jobId: 'job-1', fault: kill } }),
      await plain.send('/faults/fault-1/cancel', { method: 'POST' }),
    ]) {
      const { detail } = await expectProblem(answer, 403, 'FAULTS_DISABLED');
      expect(detail).toContain('SKIPRING_FAULTS=1');
    }
    await plain.close();
  });

  it('are armed, told to the worker at their rank, listed and cancelled', async () => {
    const worker = await workerThat(true);
    const job = await submit(coordinator);
    const prepare = await worker.next('prepare');
    const answer = await arm(job.id, kill);
    expect(answer.status).toBe(201);
    const view = faultViewSchema.parse(await answer.json());
    expect(view).toMatchObject({ jobId: job.id, fault: kill, state: 'armed', workerId: null });
    const told = await worker.next('faults');
    expect(told).toMatchObject({ fence: prepare.fence, faults: [{ id: view.id, fault: kill }] });

    const cancelled = await coordinator.send(`/faults/${view.id}/cancel`, { method: 'POST' });
    expect(await cancelled.json()).toMatchObject({ state: 'cancelled' });
    expect(await worker.next('faults')).toMatchObject({ faults: [] });
    const again = await coordinator.send(`/faults/${view.id}/cancel`, { method: 'POST' });
    await expectProblem(again, 409, 'FAULT_OVER');
    await coordinator.send(`/jobs/${job.id}/cancel`, { method: 'POST' });
    await worker.leave();
  });

  it('are told to whoever comes to their rank later, and to the followers when they strike', async () => {
    const first = await workerThat(true);
    const job = await submit(coordinator);
    await first.next('prepare');
    const { id } = faultViewSchema.parse(await (await arm(job.id, kill)).json());
    await first.leave();
    const second = await workerThat(true);
    const { fence } = await second.next('prepare');
    expect(await second.next('faults')).toMatchObject({ faults: [{ id }] });
    second.send({ type: 'faultFired', id, fence });
    await second.leave();
    await coordinator.send(`/jobs/${job.id}/cancel`, { method: 'POST' });
    const events = await coordinator.send(`/jobs/${job.id}/events?follow=false`);
    const text = await events.text();
    expect(text).toContain(`"type":"fault","faultId":"${id}","state":"armed"`);
    expect(text).toContain(`"type":"fault","faultId":"${id}","state":"fired"`);
  });

  it('are refused when they are wrong, or nobody could bring them about', async () => {
    await expectProblem(await arm('job-unknown', kill), 404, 'JOB_UNKNOWN');
    await expectProblem(
      await coordinator.send('/faults/fault-99/cancel', { method: 'POST' }),
      404,
      'FAULT_UNKNOWN',
    );
    const { errors } = await expectProblem(
      await arm('job-1', { ...kill, phase: 'lunch' }),
      422,
      'REQUEST_INVALID',
    );
    expect(errors).toEqual([expect.objectContaining({ field: '/fault/phase', value: '"lunch"' })]);
    const hang = { kind: 'hang', rank: 0, step: 1, phase: 'allGather', durationMs: 5 };
    await expectProblem(await arm('job-1', hang), 422, 'REQUEST_INVALID');

    const worker = await workerThat(false);
    const job = await submit(coordinator);
    await worker.next('prepare');
    const { detail } = await expectProblem(await arm(job.id, kill), 409, 'FAULT_REFUSED');
    expect(detail).toContain('takes-false');
    await worker.leave();
  });
});
