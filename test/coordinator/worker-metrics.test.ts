import { workerProcessMetrics } from '@skipring/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addGlyphs,
  smallJob,
  startCluster,
  waitForJob,
  type TestCluster,
} from '../support/cluster.js';
import { hasSample, samplesOf } from '../support/exposition.js';
import { checkMetrics, ensurePromtool } from '../support/promtool.js';
import { freePort } from '../support/free-port.js';

const promtool = await ensurePromtool();
const VARIABLE = 'SKIPRING_WORKER_METRICS_PORT';
let cluster: TestCluster;
let page: string;

beforeAll(async () => {
  const port = await freePort();
  // The launcher hands its environment on to the one worker.
  process.env[VARIABLE] = String(port);
  cluster = await startCluster(1);
  delete process.env[VARIABLE];
  const dataSet = await addGlyphs(cluster.client, 70, 20);
  const { id } = await cluster.client.submit(smallJob(dataSet));
  await waitForJob(cluster.client, id);
  page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
});

afterAll(() => cluster.stop());

describe("a worker's metrics, after it has trained", () => {
  it.each(Object.values(workerProcessMetrics))('have $name', (definition) => {
    expect(hasSample(samplesOf(page), definition)).toBe(true);
  });

  it('have what it did', () => {
    const samples = samplesOf(page);
    expect(samples.get('skipring_step')).toBe(4);
    expect(samples.get('skipring_epoch')).toBe(1);
    expect(samples.get('skipring_samples_total')).toBe(140);
    expect(samples.get('skipring_coordinator_connected')).toBe(1);
    expect(samples.get('skipring_generation')).toBe(1);
    expect(samples.get('skipring_rank')).toBe(-1);
    expect(samples.get('skipring_world_size')).toBe(0);
    expect(samples.get('skipring_step_duration_seconds_count')).toBe(4);
    for (const name of ['loss', 'learning_rate', 'heartbeats_sent_total'] as const) {
      expect(samples.get(`skipring_${name}`)).toBeGreaterThan(0);
    }
    for (const part of ['compute', 'apply', 'commit', 'data_wait', 'ring']) {
      const series = `skipring_step_part_duration_seconds_count{part="${part}"}`;
      expect(samples.get(series)).toBe(4);
    }
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  });

  it.skipIf(promtool === undefined)('are to the liking of promtool', () => {
    expect(checkMetrics(promtool!, page)).toBe('');
  });
});
