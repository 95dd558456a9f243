import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  boardPicture,
  boards,
  withoutVariables,
  type Line,
  type Panel,
} from '@skipring/dashboards';
import { expect, it } from 'vitest';
import { deployDirectory, repository } from '../deploy/paths.js';
import { PrometheusServer, type Series } from '../deploy/prometheus-server.js';
import { addGlyphs, smallJob } from '../support/cluster.js';
import { ensureDebianProgram } from '../support/debian-program.js';
import { JobWatch } from '../system/job-watch.js';
import { ProcessCluster } from '../system/process-cluster.js';

const DRAWN = ['skipring-fleet', 'skipring-job', 'skipring-steps', 'skipring-reliability'];
const PHASE_MS = 40_000;
const RATE_INTERVAL = '10s';
const program = await ensureDebianProgram('prometheus', 'prometheus');

it.skipIf(program === undefined)('draws dashboards of a job that loses a worker', async () => {
  const cluster = await ProcessCluster.start(3);
  const ids = ['worker-1', 'worker-2', 'worker-3'];
  const workers = ids.map((id) => `127.0.0.1:${metricsPort(cluster, id)}`);
  const prometheus = await PrometheusServer.start(
    program!,
    join(deployDirectory, 'prometheus', 'rules'),
    { coordinator: new URL(cluster.url).host, token: cluster.token, workers },
  );
  try {
    const dataSet = await addGlyphs(cluster.client, 2_048, 256);
    const spec = smallJob(dataSet, {
      name: 'picture',
      training: { steps: 2_000, learningRate: 0.05, warmupSteps: 20 },
      lanes: { count: 4, size: 32 },
      checkpoints: { everySteps: 50 },
      workers: { min: 2, max: 2 },
    });
    const { id } = await cluster.client.submit(spec);
    const watch = new JobWatch(cluster.client, id);
    await watch.step(1);
    const from = Math.floor(Date.now() / 1_000);
    await pause(PHASE_MS);
    const [, lost] = (await cluster.client.job(id)).workers;
    await cluster.killWorker(lost!);
    await watch.generation(2);
    await pause(PHASE_MS);
    const to = Math.floor(Date.now() / 1_000);
    watch.close();

    const named = (text: string): string =>
      workers
        .reduce((result, address, index) => result.replace(address, ids[index]!), text)
        .replace(id, 'job')
        .replace(new URL(cluster.url).host, 'coordinator');
    const directory = join(repository, 'docs/operations/images');
    await mkdir(directory, { recursive: true });
    for (const board of boards.filter(({ uid }) => DRAWN.includes(uid))) {
      const data = new Map<Panel, Line[]>();
      for (const panel of board.rows.flatMap(({ panels }) => panels)) {
        const series = await Promise.all(
          panel.queries.map(async ({ expression, legend }) => {
            const whole = expression.replaceAll('$__range', `${to - from}s`);
            const filled = withoutVariables(whole, RATE_INTERVAL);
            const found = await prometheus.queryRange(filled, from, to);
            return found.map((one) => lineOf(one, legend, named));
          }),
        );
        data.set(panel, series.flat());
      }
      const svg = boardPicture(board, (panel) => ({ from, to, lines: data.get(panel) ?? [] }));
      expect(svg).toContain('<polyline');
      await writeFile(join(directory, `${board.uid}.svg`), svg);
    }
  } finally {
    await prometheus.stop();
    await cluster.stop();
  }
});

function metricsPort(cluster: ProcessCluster, id: string): string {
  const port = /"metricsPort":(\d+)/.exec(cluster.worker(id).log)?.[1];
  if (port === undefined) throw new Error(`worker ${id} did not tell its port`);
  return port;
}

function lineOf({ metric, values }: Series, legend: string, named: (text: string) => string): Line {
  const text = legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');
  const points = values.map(([time, value]) => [time, Number(value)] as const);
  return { legend: named(text), points: points.filter(([, value]) => Number.isFinite(value)) };
}
