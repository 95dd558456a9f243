import { clusterMetrics, jobMetrics, peerMetrics, type MetricDefinition } from '@skipring/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  settleDataSet,
  startCoordinator,
  tinyGlyphs,
  type TestCoordinator,
} from '../support/coordinator.js';
import { hasSample, samplesOf } from '../support/exposition.js';
import { FakeWorker } from '../support/fake-worker.js';
import { checkMetrics, ensurePromtool } from '../support/promtool.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { trainOneStep } from '../support/train-one-step.js';
import { until } from '../support/until.js';

const promtool = await ensurePromtool();
let redis: TestRedis;
let coordinator: TestCoordinator;
let worker: FakeWorker;
let jobId: string;
let pageInTraining: string;
let page: string;

beforeAll(async () => {
  redis = await startTestRedis();
  coordinator = await startCoordinator(redis.url, { heartbeatIntervalMs: 100 });
  await settleDataSet(coordinator, tinyGlyphs);
  worker = await FakeWorker.join(coordinator.url, 'w1');
  jobId = await trainOneStep(coordinator, worker, async () => {
    pageInTraining = await until('the evaluation and a heartbeat are counted', async () => {
      const text = await scrape();
      const isThere = ['split="test"', 'skipring_worker_heartbeats_total{'];
      return isThere.every((part) => text.includes(part)) ? text : null;
    });
  });
  page = await scrape();
});

afterAll(async () => {
  await worker.leave();
  await coordinator.close();
  await redis.stop();
});

async function scrape(): Promise<string> {
  return (await coordinator.send('//metrics')).text();
}

const definitions: readonly MetricDefinition[] = [
  ...Object.values(jobMetrics),
  ...Object.values(peerMetrics),
  ...Object.values(clusterMetrics),
];

describe("the coordinator's metrics, after a job has run", () => {
  it.each(definitions)('have $name', (definition) => {
    expect(hasSample(samplesOf(page), definition)).toBe(true);
  });

  it('have what the worker reported', () => {
    const samples = samplesOf(pageInTraining);
    const job = `{job_id="${jobId}"`;
    expect(samples.get(`skipring_job_step${job}}`)).toBe(1);
    expect(samples.get(`skipring_job_epoch${job}}`)).toBe(0);
    expect(samples.get(`skipring_job_loss${job},split="train"}`)).toBe(1.5);
    expect(samples.get(`skipring_job_accuracy_ratio${job},split="train"}`)).toBe(0.25);
    expect(samples.get(`skipring_job_accuracy_ratio${job},split="test"}`)).toBe(0.5);
    expect(samples.get(`skipring_job_learning_rate${job}}`)).toBe(0.1);
    expect(samples.get(`skipring_job_images_per_second${job}}`)).toBe(400);
    expect(samples.get(`skipring_job_generation${job}}`)).toBe(1);
    expect(samples.get(`skipring_job_world_size${job}}`)).toBe(1);
    expect(samples.get(`skipring_job_ring_sent_bytes_total${job}}`)).toBe(64);
    for (const [part, seconds] of [
      ['data_wait', 0.001],
      ['compute', 0.01],
      ['ring', 0.002],
      ['commit', 0.001],
      ['apply', 0.006],
    ] as const) {
      const series = `skipring_job_step_part_duration_seconds_sum${job},part="${part}"}`;
      expect(samples.get(series)).toBe(seconds);
    }
    expect(samples.get('skipring_jobs{state="running"}')).toBe(1);
    expect(samples.get('skipring_workers{state="busy"}')).toBe(1);
    expect(samples.get('skipring_queue_depth{queue="jobs",state="waiting"}')).toBe(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  });

  it('say that it trains no longer', () => {
    const samples = samplesOf(page);
    expect(samples.get('skipring_jobs{state="succeeded"}')).toBe(1);
    expect(samples.get('skipring_jobs{state="running"}')).toBe(0);
    expect(samples.get(`skipring_job_images_per_second{job_id="${jobId}"}`)).toBe(0);
  });

  it.skipIf(promtool === undefined)('are to the liking of promtool', () => {
    expect(checkMetrics(promtool!, page)).toBe('');
  });

  it.skipIf(promtool === undefined)('would not be, were a counter misnamed', () => {
    const bad = '# HELP a_total_seconds A.\n# TYPE a_total_seconds counter\na_total_seconds 1\n';
    expect(checkMetrics(promtool!, bad)).toContain('a_total_seconds');
  });
});
