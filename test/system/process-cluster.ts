import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import { freePort } from '../support/free-port.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { ServerProcess } from './server-process.js';

const API_TOKEN = 'api-token-of-a-test';
const JOIN_TOKEN = 'join-token-of-a-test';

export interface ProcessClusterOptions {
  /** Of the coordinator and all workers, besides what they must have. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of a server of the cluster's own; stopped with the cluster. */
  readonly redis?: Pick<TestRedis, 'url' | 'stop'>;
}

/**
 * Redis, a coordinator and workers, each a process that a test may kill, freeze and start again. The
 * coordinator comes back at the same port with the same Redis and data directory.
 */
export class ProcessCluster {
  readonly client: SkipringClient;
  readonly url: string;
  private coordinator: ServerProcess | null = null;
  private readonly workers = new Map<string, ServerProcess>();
  private numStarted = 0;

  private constructor(
    private readonly redis: Pick<TestRedis, 'url' | 'stop'>,
    readonly dataDirectory: string,
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.client = new SkipringClient({ url: this.url, token: API_TOKEN });
  }

  static async start(
    numWorkers: number,
    { environment = {}, redis }: ProcessClusterOptions = {},
  ): Promise<ProcessCluster> {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-system-'));
    const cluster = new ProcessCluster(
      redis ?? (await startTestRedis()),
      dataDirectory,
      await freePort(),
      environment,
    );
    try {
      await cluster.startCoordinator();
      await cluster.haveWorkers(numWorkers);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async startCoordinator(): Promise<void> {
    this.coordinator = await this.coordinatorAt(this.port, 'listening');
  }

  /** A further coordinator of the same store; resolves when it has logged the event. */
  coordinatorAt(port: number, event: 'listening' | 'standby'): Promise<ServerProcess> {
    return ServerProcess.start(
      'coordinator',
      {
        REDIS_URL: this.redis.url,
        SKIPRING_PORT: String(port),
        SKIPRING_DATA_DIR: this.dataDirectory,
        SKIPRING_API_TOKEN: API_TOKEN,
        SKIPRING_JOIN_TOKEN: JOIN_TOKEN,
        ...this.environment,
      },
      (line) => line.event === event,
    );
  }

  /** For a coordinator at another address. */
  clientOf(url: string): SkipringClient {
    return new SkipringClient({ url, token: API_TOKEN });
  }

  /** Of users. */
  get token(): string {
    return API_TOKEN;
  }

  /** It does not come back. */
  stopRedis(): Promise<void> {
    return this.redis.stop();
  }

  /** The leader, to be killed or frozen by a test. */
  get leader(): ServerProcess {
    if (this.coordinator === null) throw new Error('no coordinator was started');
    return this.coordinator;
  }

  /** SIGKILL, with nothing said to the workers. */
  async killCoordinator(): Promise<void> {
    await this.coordinator?.kill();
  }

  /** Resolves when the coordinator knows the new worker. Returns its id, which no other had. */
  async addWorker(
    coordinatorUrl = this.url,
    environment: Readonly<Record<string, string>> = {},
    begun: readonly string[] = [],
  ): Promise<string> {
    this.numStarted += 1;
    const id = `worker-${this.numStarted}`;
    const worker = await ServerProcess.start(
      'worker',
      {
        SKIPRING_COORDINATOR_URL: coordinatorUrl,
        SKIPRING_JOIN_TOKEN: JOIN_TOKEN,
        ...this.environment,
        SKIPRING_WORKER_ID: id,
        SKIPRING_WORKER_THREADS: '1',
        ...environment,
      },
      ({ event }) => event === 'ready',
      begun,
    );
    this.workers.set(id, worker);
    await this.connected(id);
    return id;
  }

  /** Resolves when the worker is connected to the coordinator. */
  async connected(id: string): Promise<void> {
    await until(`worker ${id} is connected`, async () => {
      const views = await this.client.workers();
      return views.some((view) => view.id === id) ? true : null;
    });
  }

  /** Makes exactly so many idle workers: starts what is missing, kills what is too many. */
  async haveWorkers(count: number, coordinatorUrl = this.url): Promise<void> {
    for (const [id, worker] of [...this.workers]) {
      if (!worker.isRunning) this.workers.delete(id);
    }
    for (const id of [...this.workers.keys()].slice(count)) await this.killWorker(id);
    const missing = count - this.workers.size;
    await Promise.all(Array.from({ length: missing }, () => this.addWorker(coordinatorUrl)));
    await until(`${count} idle workers`, async () => {
      const views = await this.client.workers();
      return views.length === count && views.every(({ state }) => state === 'idle') ? true : null;
    });
  }

  worker(id: string): ServerProcess {
    const worker = this.workers.get(id);
    if (worker === undefined) throw new Error(`there is no worker ${id}`);
    return worker;
  }

  async killWorker(id: string): Promise<void> {
    await this.worker(id).kill();
    this.workers.delete(id);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.kill()));
    await this.coordinator?.kill();
    await this.redis.stop();
    await rm(this.dataDirectory, { recursive: true, force: true });
  }
}
