import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { EvaluationResult, JobView, StepRecord } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  addGlyphs,
  smallJob,
  startCluster,
  waitForJob,
  type TestCluster,
} from '../support/cluster.js';
import { CliHome } from '../support/cli.js';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

const python = process.env.SKIPRING_TEST_PYTHON ?? '';
const START_DEADLINE_MS = 120_000;
const run = promisify(execFile);

/** Step, time and value of each point, by name. */
const seriesSchema = z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number()])));
const mlflowRunSchema = z.strictObject({
  name: z.string(),
  status: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  tags: z.record(z.string(), z.string()),
  params: z.record(z.string(), z.string()),
  history: seriesSchema,
});

async function readBy<T extends z.ZodType>(
  schema: T,
  script: string,
  argument: string,
): Promise<z.output<T>> {
  const { stdout } = await run(python, [resolve('test/interoperation', script), argument]);
  return schema.parse(JSON.parse(stdout));
}

describe.skipIf(python === '')(
  'other tools (needs SKIPRING_TEST_PYTHON; `npm run test:interoperation` has one)',
  () => {
    let cluster: TestCluster;
    let home: CliHome;
    let job: JobView;
    const steps: StepRecord[] = [];
    let evaluations: EvaluationResult[];

    beforeAll(async () => {
      home = await CliHome.make();
      cluster = await startCluster(1);
      const { client } = cluster;
      const dataSet = await addGlyphs(client, 160, 20);
      const { id } = await client.submit(smallJob(dataSet));
      job = await waitForJob(client, id);
      for await (const step of client.stepMetrics(id)) steps.push(step);
      evaluations = await client.evaluations(id);
    });
    afterAll(async () => {
      await cluster.stop();
      await home.remove();
    });

    async function exportTo(format: string, out: string): Promise<string> {
      const { url, token } = cluster.cluster.endpoint;
      const env = { SKIPRING_URL: url, SKIPRING_TOKEN: token ?? '' };
      const args = ['metrics', job.id, '--format', format, '--out', out];
      const result = await home.run(args, { env });
      expect(result).toMatchObject({ code: 0, stderr: '' });
      return result.stdout.trim();
    }

    /** The values as they are in single precision, where that is what a tool keeps. */
    function expectSeries(
      series: z.output<typeof seriesSchema>,
      rounded: (value: number) => number,
    ): void {
      expect(Object.keys(series).sort()).toEqual([
        ...['test/accuracy', 'test/loss', 'train/accuracy', 'train/images_per_second'],
        ...['train/learning_rate', 'train/loss'],
      ]);
      const values = (name: string): (readonly [number, number])[] =>
        (series[name] ?? []).map(([step, , value]) => [step, value] as const);
      const of = <T extends { step: number }>(items: readonly T[], value: (item: T) => number) =>
        items.map((item) => [item.step, rounded(value(item))] as const);
      expect(values('train/loss')).toEqual(of(steps, ({ loss }) => loss));
      expect(values('train/accuracy')).toEqual(of(steps, ({ accuracy }) => accuracy));
      expect(values('train/learning_rate')).toEqual(of(steps, (step) => step.learningRate));
      expect(values('test/loss')).toEqual(of(evaluations, ({ loss }) => loss));
      expect(values('test/accuracy')).toEqual(of(evaluations, ({ accuracy }) => accuracy));
    }

    it('TensorBoard reads the event file, every point of it', async () => {
      expect(steps.length).toBeGreaterThan(4);
      const path = await exportTo('tensorboard', 'runs');
      const series = await readBy(seriesSchema, 'read_tensorboard.py', join(home.directory, path));
      expectSeries(series, Math.fround);
      const times = series['train/loss']?.map(([, seconds]) => seconds) ?? [];
      expect(times[0]).toBeGreaterThanOrEqual(Date.parse(job.startedAt ?? '') / 1_000);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    it('an MLflow server takes the run, and its client reads it back', async () => {
      const server = await startMlflow(home.directory);
      try {
        const address = await exportTo('mlflow', server.url);
        expect(address).toMatch(/\/#\/experiments\/\d+\/runs\/[0-9a-f]{32}$/);
        const logged = await readBy(mlflowRunSchema, 'read_mlflow.py', server.url);
        expect(logged).toMatchObject({ name: job.name, status: 'FINISHED' });
        expect(logged.tags).toMatchObject({
          'skipring.job': job.id,
          'skipring.owner': job.owner,
          'skipring.model': job.modelSha256,
        });
        expect(logged.params).toMatchObject({
          'model.family': 'resnet-cifar',
          'model.depth': '8',
          'training.learningRate': '0.05',
          'lanes.count': '4',
        });
        expect(logged.startMs).toBe(Date.parse(job.startedAt ?? ''));
        expect(logged.endMs).toBe(Date.parse(job.finishedAt ?? ''));
        expectSeries(logged.history, (value) => value);
      } finally {
        await server.stop();
      }
    });
  },
);

interface MlflowProcess {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** A server with a data base in this directory. */
async function startMlflow(directory: string): Promise<MlflowProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server: ChildProcess = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port)],
      ...['--workers', '1', '--backend-store-uri', `sqlite:///${join(directory, 'mlflow.db')}`],
      ...['--artifacts-destination', join(directory, 'artifacts')],
    ],
    // A group of its own: the server starts processes that it does not always end.
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const closed = once(server, 'close');
  let errors = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
    await closed;
  };
  try {
    await until(
      'the MLflow server answers',
      async () => {
        if (server.exitCode !== null) throw new Error(`the MLflow server ended: ${errors}`);
        const answer = await fetch(`${url}/health`).catch(() => null);
        return answer?.ok === true ? true : null;
      },
      START_DEADLINE_MS,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}
