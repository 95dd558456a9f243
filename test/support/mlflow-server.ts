import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const metricSchema = z.strictObject({
  key: z.string().max(250),
  value: z.number(),
  timestamp: z.int(),
  step: z.int(),
});
const pairSchema = z.strictObject({ key: z.string().max(250), value: z.string().max(6_000) });
const runIdSchema = z.string().min(1);
const bodies = {
  'experiments/create': z.strictObject({ name: z.string() }),
  'runs/create': z.strictObject({
    experiment_id: z.string(),
    run_name: z.string(),
    start_time: z.int(),
    tags: z.array(pairSchema),
  }),
  'runs/log-batch': z.strictObject({
    run_id: runIdSchema,
    params: z.array(pairSchema).max(100).optional(),
    metrics: z.array(metricSchema).max(1_000).optional(),
  }),
  'runs/update': z.strictObject({
    run_id: runIdSchema,
    status: z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']),
    end_time: z.int().optional(),
  }),
};

export interface MlflowRun {
  readonly name: string;
  readonly tags: Record<string, string>;
  readonly params: Record<string, string>;
  readonly metrics: z.output<typeof metricSchema>[];
  status: string;
}

/** The part of the MLflow REST API 2.0 that logs runs, with its limits, over one experiment list. */
export class MlflowServer {
  readonly runs = new Map<string, MlflowRun>();
  readonly experiments = new Map<string, string>();
  private readonly server = createServer((request, response) => {
    this.answer(request).then(
      ([status, body]) => response.writeHead(status).end(JSON.stringify(body)),
      (error: unknown) =>
        response
          .writeHead(400)
          .end(JSON.stringify({ error_code: 'INVALID_PARAMETER_VALUE', message: String(error) })),
    );
  });

  private constructor(private readonly token: string | null) {}

  static async start(token: string | null = null): Promise<MlflowServer> {
    const mlflow = new MlflowServer(token);
    mlflow.server.listen(0, '127.0.0.1');
    await once(mlflow.server, 'listening');
    return mlflow;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage): Promise<[number, object]> {
    const url = new URL(request.url ?? '', this.url);
    const path = url.pathname.replace('/api/2.0/mlflow/', '');
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
      return [401, { error_code: 'UNAUTHENTICATED', message: 'no token' }];
    }
    if (request.method === 'GET' && path === 'experiments/get-by-name') {
      const id = this.experiments.get(url.searchParams.get('experiment_name') ?? '');
      return id === undefined
        ? [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no experiment' }]
        : [200, { experiment: { experiment_id: id, name: 'skipring' } }];
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return this.post(path, JSON.parse(Buffer.concat(chunks).toString()) as unknown);
  }

  private post(path: string, body: unknown): [number, object] {
    switch (path) {
      case 'experiments/create': {
        const id = String(this.experiments.size + 1);
        this.experiments.set(bodies[path].parse(body).name, id);
        return [200, { experiment_id: id }];
      }
      case 'runs/create': {
        const { run_name: name, tags } = bodies[path].parse(body);
        const id = `run-${this.runs.size + 1}`;
        const pairs = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
        this.runs.set(id, { name, tags: pairs, params: {}, metrics: [], status: 'RUNNING' });
        return [200, { run: { info: { run_id: id } } }];
      }
      case 'runs/log-batch': {
        const { run_id: id, params = [], metrics = [] } = bodies[path].parse(body);
        const run = this.runOf(id);
        for (const { key, value } of params) run.params[key] = value;
        run.metrics.push(...metrics);
        return [200, {}];
      }
      case 'runs/update': {
        const { run_id: id, status } = bodies[path].parse(body);
        this.runOf(id).status = status;
        return [200, { run_info: { run_id: id, status } }];
      }
      default:
        return [404, { error_code: 'ENDPOINT_NOT_FOUND', message: path }];
    }
  }

  private runOf(id: string): MlflowRun {
    const run = this.runs.get(id);
    if (run === undefined) throw new Error(`no run ${id}`);
    return run;
  }
}
