import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ensureRedis, optionsFromEnvironment, startRedis } from '@skipring/provision';
import { removeEndpoint, writeEndpoint, type Endpoint } from '../endpoint.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { Child } from './child.js';
import { lockDataDirectory } from './data-directory-lock.js';

const READY_TIMEOUT_MS = 60_000;

export interface ClusterOptions {
  readonly dataDirectory: string;
  /** 0: any free port. */
  readonly port: number;
  readonly numWorkers: number;
  /** Intra-op threads of each worker. */
  readonly threads: number;
  /** Directories from which data sets may be registered. */
  readonly dataRoots: readonly string[];
  /** Of this process; REDIS_URL in it names a Redis server to use instead of an own one. */
  readonly inherited: NodeJS.ProcessEnv;
  /** Ends a start that is under way. */
  readonly interrupted: AbortSignal;
  readonly onStatus: (text: string) => void;
}

const token = (): string => randomBytes(24).toString('base64url');
const require = createRequire(import.meta.url);

/** The program of another app: started as a process of its own, never imported. */
const entryOf = (app: 'coordinator' | 'worker'): string => require.resolve(`@skipring/${app}/main`);

/** Redis, a coordinator and workers on this machine, as child processes of this one. */
export class LocalCluster {
  private readonly children: Child[] = [];
  private readonly workers: Child[] = [];
  private readonly closers: (() => Promise<void>)[] = [];

  private constructor(
    readonly endpoint: Endpoint,
    readonly logDirectory: string,
  ) {}

  /** Starts everything in order; on any failure stops what was started. */
  static async start(options: ClusterOptions): Promise<LocalCluster> {
    const closers: (() => Promise<void>)[] = [await lockDataDirectory(options.dataDirectory)];
    try {
      return await LocalCluster.startParts(options, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** Process ids of the workers, in the order of their start. */
  get workerPids(): number[] {
    return this.workers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Resolves when a part of the cluster ended by itself; never rejects. */
  async failed(): Promise<string> {
    return Promise.race(
      this.children.map(async (child) => {
        const code = await child.exited;
        return `${child.options.title} ended with code ${code ?? 'none'}; its log is ${child.options.logFile}`;
      }),
    );
  }

  /** Workers first, so that they leave in order; then the coordinator; Redis last. */
  async stop(): Promise<void> {
    await closeAll(this.closers);
  }

  private static async startParts(
    options: ClusterOptions,
    closers: (() => Promise<void>)[],
  ): Promise<LocalCluster> {
    const { dataDirectory, inherited, interrupted, onStatus } = options;
    const proceed = (): void => {
      if (interrupted.aborted) throw new CommandError(EXIT.interrupted, 'interrupted');
    };
    const logDirectory = join(dataDirectory, 'logs');
    await mkdir(logDirectory, { recursive: true, mode: 0o700 });

    let redisUrl = inherited.REDIS_URL;
    if (redisUrl === undefined) {
      onStatus('starting Redis');
      const { path } = await ensureRedis(optionsFromEnvironment(inherited));
      const redis = await startRedis({ serverPath: path, dataDir: join(dataDirectory, 'redis') });
      closers.push(() => redis.stop());
      redisUrl = redis.url;
    }

    proceed();
    onStatus('starting the coordinator');
    const apiToken = token();
    const joinToken = token();
    const coordinator = new Child({
      title: 'coordinator',
      entry: entryOf('coordinator'),
      logFile: join(logDirectory, 'coordinator.log'),
      environment: {
        ...inherited,
        REDIS_URL: redisUrl,
        SKIPRING_HOST: '127.0.0.1',
        SKIPRING_PORT: String(options.port),
        SKIPRING_DATA_DIR: dataDirectory,
        SKIPRING_DATA_ROOTS: options.dataRoots.join(':'),
        SKIPRING_API_TOKEN: apiToken,
        SKIPRING_JOIN_TOKEN: joinToken,
      },
    });
    closers.push(() => coordinator.stop());
    const url = await coordinator.waitForLine(
      (line) => (typeof line.url === 'string' ? line.url : null),
      READY_TIMEOUT_MS,
    );

    const endpoint = { url, token: apiToken, pid: process.pid };
    await writeEndpoint(dataDirectory, endpoint);
    closers.push(() => removeEndpoint(dataDirectory));

    proceed();
    const cluster = new LocalCluster(endpoint, logDirectory);
    cluster.children.push(coordinator);
    onStatus(`starting ${options.numWorkers} worker(s)`);
    const workers = Array.from(
      { length: options.numWorkers },
      (_, index) =>
        new Child({
          title: `worker ${index + 1}`,
          entry: entryOf('worker'),
          logFile: join(logDirectory, `worker-${index + 1}.log`),
          environment: {
            ...inherited,
            SKIPRING_COORDINATOR_URL: url,
            SKIPRING_JOIN_TOKEN: joinToken,
            SKIPRING_WORKER_ID: `local-${index + 1}`,
            SKIPRING_WORKER_THREADS: String(options.threads),
          },
        }),
    );
    closers.push(async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    });
    await Promise.all(
      workers.map((worker) =>
        worker.waitForLine((line) => (line.event === 'ready' ? true : null), READY_TIMEOUT_MS),
      ),
    );
    cluster.children.push(...workers);
    cluster.workers.push(...workers);
    cluster.closers.push(...closers);
    return cluster;
  }
}

/** Last opened is closed first; a failure to close one part does not keep the others open. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close().catch(() => undefined);
}
