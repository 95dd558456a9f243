import { linkedSignal } from '@skipring/protocol';
import { z } from 'zod';
import type { History } from './history.js';
import { requireUrl } from '../endpoint.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { pointsOf } from './history-points.js';
import { specLeaves } from './spec-leaves.js';

const TIMEOUT_MS = 30_000;
const EXPERIMENT = 'skipring';
/** What one `log-batch` takes (MLflow REST API). */
const MAX_METRICS = 1_000;
const MAX_PARAMS = 100;
const MAX_PARAM_LENGTH = 500;

const experimentSchema = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const createdSchema = z.object({ experiment_id: z.string() });
const runSchema = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });

const STATUS: Readonly<Record<string, string>> = {
  succeeded: 'FINISHED',
  failed: 'FAILED',
  cancelled: 'KILLED',
};

/**
 * Logs a job to an MLflow server as a run of the experiment `skipring`: its spec as parameters, its
 * course as metrics, its state and model as status and tags.
 * @param environment `MLFLOW_TRACKING_TOKEN` is sent as bearer token, as MLflow's own clients do
 * @returns the run's address
 */
export async function logToMlflow(
  history: History,
  server: string,
  { MLFLOW_TRACKING_TOKEN: token }: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  requireUrl('--out', server);
  const mlflow = new Mlflow(server.replace(/\/+$/, ''), token, signal);
  const { job, steps } = history;
  const startMs = Date.parse(job.startedAt ?? job.createdAt);
  const experiment = await mlflow.experiment(EXPERIMENT);
  const { run } = await mlflow.post(runSchema, 'runs/create', {
    experiment_id: experiment,
    run_name: job.name,
    start_time: startMs,
    tags: [
      { key: 'skipring.job', value: job.id },
      { key: 'skipring.owner', value: job.owner },
      ...(job.modelSha256 === null ? [] : [{ key: 'skipring.model', value: job.modelSha256 }]),
    ],
  });
  const runId = run.info.run_id;
  const params = specLeaves(job.spec).map(([field, text]) => ({
    key: field,
    value: text.slice(0, MAX_PARAM_LENGTH),
  }));
  const metrics = pointsOf(history).flatMap(({ step, timeMs, values }) =>
    Object.entries(values).map(([name, value]) => ({
      ...{ key: name, value, step },
      timestamp: Math.round(timeMs),
    })),
  );
  for (const part of parts(params, MAX_PARAMS)) {
    await mlflow.post(z.unknown(), 'runs/log-batch', { run_id: runId, params: part });
  }
  for (const part of parts(metrics, MAX_METRICS)) {
    await mlflow.post(z.unknown(), 'runs/log-batch', { run_id: runId, metrics: part });
  }
  const elapsedMs = steps.reduce((sum, { stepMs }) => sum + stepMs, 0);
  const end = job.finishedAt === null ? startMs + elapsedMs : Date.parse(job.finishedAt);
  await mlflow.post(z.unknown(), 'runs/update', {
    run_id: runId,
    status: STATUS[job.state] ?? 'RUNNING',
    ...(STATUS[job.state] === undefined ? {} : { end_time: Math.round(end) }),
  });
  return `${server}/#/experiments/${experiment}/runs/${runId}`;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

class Mlflow {
  constructor(
    private readonly server: string,
    private readonly token: string | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /** Its id; made when there is none. */
  async experiment(name: string): Promise<string> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    const found = await this.send('GET', query);
    if (found.status === 404) {
      return (await this.post(createdSchema, 'experiments/create', { name })).experiment_id;
    }
    return this.read(experimentSchema, found).experiment.experiment_id;
  }

  async post<T extends z.ZodType>(schema: T, path: string, body: object): Promise<z.output<T>> {
    return this.read(schema, await this.send('POST', path, body));
  }

  private async send(method: string, path: string, body?: object): Promise<Answer> {
    const { token, signal } = this;
    const ended = linkedSignal([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await fetch(`${this.server}/api/2.0/mlflow/${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        signal: ended.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      signal.throwIfAborted();
      throw new CommandError(EXIT.connection, `no answer from ${this.server}`, null, { cause });
    } finally {
      ended.release();
    }
  }

  private read<T extends z.ZodType>(schema: T, { status, text }: Answer): z.output<T> {
    if (status < 200 || status > 299) {
      const what = `MLflow answers ${status}: ${text.slice(0, 300)}`;
      throw new CommandError(EXIT.refused, what);
    }
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new CommandError(EXIT.unexpected, 'the answer is not of the MLflow REST API 2.0');
  }
}

function parts<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, part) => items.slice(part * size, (part + 1) * size));
}
