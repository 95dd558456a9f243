import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { STOP_DEADLINES_MS } from '@skipring/protocol';
import { ensureRedis, optionsFromEnvironment, startRedis } from '@skipring/provision';
import { removeEndpoint, writeEndpoint, type Endpoint } from '../endpoint.js';
import { unlessInterrupted } from '../interruption.js';
import { Child } from './child.js';
import { lockDataDirectory } from './data-directory-lock.js';

const READY_TIMEOUT_MS = 60_000;
/** How much longer than a child allows itself the launcher waits for its end. */
const STOP_MARGIN_MS = 2_000;

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
  /** Kills what does not end, or not soon enough for whoever waits. */
  readonly forced?: AbortSignal;
  readonly onStatus: (text: string) => void;
  /** Starts the coordinator and workers again whenever they end. */
  readonly isSupervised?: boolean;
  /** A module that the coordinator and workers load first, with `gc` at hand. */
  readonly preload?: URL;
}

type Closer = () => Promise<void>;

const token = (): string => randomBytes(24).toString('base64url');
const require = createRequire(import.meta.url);

/** The program of another app: started as a process of its own, never imported. */
const entryOf = (app: 'coordinator' | 'worker'): string => require.resolve(`@skipring/${app}/main`);

/** Redis, a coordinator and workers on this machine, as child processes of this one. */
export class LocalCluster {
  readonly logDirectory: string;
  private readonly closers: Closer[] = [];
  private readonly workers: Child[] = [];
  /** Of `workers`. */
  private numRunning = 0;
  private coordinator: Child | null = null;
  private known: Endpoint | null = null;
  private stopping: Promise<void> | null = null;
  /** Tells why the cluster can do nothing more. */
  private fail: (reason: string) => void = () => undefined;
  private readonly failure = new Promise<string>((resolve) => {
    this.fail = resolve;
  });

  private constructor(private readonly options: ClusterOptions) {
    this.logDirectory = join(options.dataDirectory, 'logs');
  }

  /**
   * Starts everything in order; on any failure stops what was started.
   * @throws CommandError `interrupted`, or `environment` when another cluster has the data
   *   directory; ProvisionError; Error with what a process that ended early told of errors
   */
  static async start(options: ClusterOptions): Promise<LocalCluster> {
    const cluster = new LocalCluster(options);
    try {
      await cluster.startParts();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get endpoint(): Endpoint {
    if (this.known === null) throw new Error('the cluster has not started');
    return this.known;
  }

  /** Process ids of the workers, in the order of their start. */
  get workerPids(): number[] {
    return this.workers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Of every coordinator and worker so far. */
  readonly startedPids: number[] = [];

  /** The coordinator and workers that run now, or did a moment ago. */
  get processes(): { readonly kind: 'coordinator' | 'worker'; readonly pid: number }[] {
    const workers = this.workerPids.map((pid) => ({ kind: 'worker', pid }) as const);
    const { coordinatorPid: pid } = this;
    return pid === undefined ? workers : [{ kind: 'coordinator', pid }, ...workers];
  }

  get coordinatorPid(): number | undefined {
    return this.coordinator?.pid;
  }

  /**
   * Resolves with the reason when the coordinator or Redis ended by itself, or the last worker by a
   * failure. The loss of other workers is told as a status: jobs go on without them.
   */
  failed(): Promise<string> {
    return this.failure;
  }

  /** Workers first, so that they leave in order; then the coordinator; Redis last. */
  stop(): Promise<void> {
    this.stopping ??= this.closeAll();
    return this.stopping;
  }

  private async startParts(): Promise<void> {
    const { dataDirectory, inherited, onStatus, numWorkers } = this.options;
    const lock = await lockDataDirectory(dataDirectory);
    this.closers.push(() => lock.release());
    await mkdir(this.logDirectory, { recursive: true, mode: 0o700 });
    const redisUrl = inherited.REDIS_URL ?? (await this.startRedis());

    onStatus('starting the coordinator');
    const joinToken = token();
    const url = await this.startCoordinator(redisUrl, joinToken);

    onStatus(`starting ${numWorkers} worker${numWorkers === 1 ? '' : 's'}`);
    await this.startWorkers(url, joinToken);
  }

  private async startRedis(): Promise<string> {
    const { dataDirectory, inherited, interrupted, forced, onStatus } = this.options;
    onStatus('starting Redis');
    const found = ensureRedis(optionsFromEnvironment(inherited));
    const { path } = await unlessInterrupted(interrupted, found);
    const log = createWriteStream(join(this.logDirectory, 'redis.log'), {
      flags: 'a',
      mode: 0o600,
    });
    const redis = await startRedis({
      serverPath: path,
      dataDir: join(dataDirectory, 'redis'),
      onLog: (line) => log.write(`${line}\n`),
    });
    const kill = (): void => {
      process.kill(redis.pid, 'SIGKILL');
    };
    forced?.addEventListener('abort', kill);
    this.closers.push(async () => {
      await redis.stop();
      log.end();
    });
    void redis.exited.then(({ status, signal }) => {
      forced?.removeEventListener('abort', kill);
      const how = signal === null ? `with code ${status ?? 'none'}` : `by ${signal}`;
      this.fail(`Redis ended ${how}\n  log: ${String(log.path)}`);
    });
    return redis.url;
  }

  private async startCoordinator(redisUrl: string, joinToken: string): Promise<string> {
    const { dataDirectory, dataRoots, port } = this.options;
    const apiToken = token();
    const start = (atPort: number): Child => {
      const child = this.launch('coordinator', 'coordinator', STOP_DEADLINES_MS.coordinator, {
        REDIS_URL: redisUrl,
        SKIPRING_HOST: '127.0.0.1',
        SKIPRING_PORT: String(atPort),
        SKIPRING_DATA_DIR: dataDirectory,
        SKIPRING_DATA_ROOTS: dataRoots.join(':'),
        SKIPRING_API_TOKEN: apiToken,
        SKIPRING_JOIN_TOKEN: joinToken,
      });
      void child.exited.then(() => {
        if (!this.mayRestart(child)) this.fail(child.epitaph);
        else this.coordinator = start(Number(new URL(this.endpoint.url).port));
      });
      return child;
    };
    const first = (this.coordinator = start(port));
    this.closers.push(async () => {
      await this.coordinator?.stop();
    });
    const url = await this.ready(first, (line) => (typeof line.url === 'string' ? line.url : null));
    this.known = { url, token: apiToken, pid: process.pid };
    this.closers.push(() => removeEndpoint(dataDirectory));
    await writeEndpoint(dataDirectory, this.known);
    return url;
  }

  private async startWorkers(url: string, joinToken: string): Promise<void> {
    const { numWorkers } = this.options;
    for (let number = 1; number <= numWorkers; number += 1) {
      this.workers.push(this.startWorker(number, url, joinToken));
    }
    this.closers.push(async () => {
      await Promise.all(this.workers.map((worker) => worker.stop()));
    });
    await Promise.all(
      this.workers.map((worker) =>
        this.ready(worker, ({ event }) => (event === 'ready' ? true : null)),
      ),
    );
  }

  private startWorker(number: number, url: string, joinToken: string): Child {
    const { workerLeave, workerShutDown } = STOP_DEADLINES_MS;
    const worker = this.launch('worker', `worker ${number}`, workerLeave + workerShutDown, {
      SKIPRING_COORDINATOR_URL: url,
      SKIPRING_JOIN_TOKEN: joinToken,
      SKIPRING_WORKER_ID: `local-${number}`,
      SKIPRING_WORKER_THREADS: String(this.options.threads),
    });
    this.numRunning += 1;
    void worker.exited.then((code) => {
      this.numRunning -= 1;
      if (this.mayRestart(worker)) {
        this.workers[number - 1] = this.startWorker(number, url, joinToken);
      } else {
        this.workerEnded(worker, code);
      }
    });
    return worker;
  }

  /** Tells of the end of a process that is to be started again. */
  private mayRestart(child: Child): boolean {
    if (this.options.isSupervised !== true || this.stopping !== null) return false;
    this.options.onStatus(`${child.options.title} ended; it is started again`);
    return true;
  }

  private workerEnded(worker: Child, code: number | null): void {
    if (this.stopping !== null) return;
    const { onStatus } = this.options;
    if (code === 0) onStatus(`${worker.options.title} has left`);
    else if (this.numRunning > 0) onStatus(worker.epitaph);
    else this.fail(`no worker is left: ${worker.epitaph}`);
  }

  private launch(
    app: 'coordinator' | 'worker',
    title: string,
    ownDeadlineMs: number,
    environment: NodeJS.ProcessEnv,
  ): Child {
    const { inherited, forced, preload } = this.options;
    const child = new Child({
      title,
      entry: entryOf(app),
      nodeOptions: preload === undefined ? [] : ['--expose-gc', '--import', preload.href],
      logFile: join(this.logDirectory, `${title.replace(' ', '-')}.log`),
      environment: { ...inherited, ...environment },
      stopDeadlineMs: ownDeadlineMs + STOP_MARGIN_MS,
    });
    const kill = (): void => {
      child.kill();
    };
    if (child.pid !== undefined) this.startedPids.push(child.pid);
    forced?.addEventListener('abort', kill);
    void child.exited.then(() => {
      forced?.removeEventListener('abort', kill);
    });
    return child;
  }

  private ready<T>(child: Child, find: Parameters<typeof child.waitForLine<T>>[0]): Promise<T> {
    return unlessInterrupted(this.options.interrupted, child.waitForLine(find, READY_TIMEOUT_MS));
  }

  /** Last opened is closed first; a failure to close one part does not keep the others open. */
  private async closeAll(): Promise<void> {
    for (const close of this.closers.splice(0).reverse()) await close().catch(() => undefined);
  }
}
