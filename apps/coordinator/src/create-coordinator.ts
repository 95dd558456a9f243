import { hostname } from 'node:os';
import { join } from 'node:path';
import { coordinatorMetrics } from '@skipring/metrics';
import {
  AuditStore,
  closeConnection,
  connectForCommands,
  DataSetStore,
  DEFAULT_RETENTION,
  RunStore,
  StoredBytes,
  SweepStore,
  TokenStore,
  WebhookStore,
  WorkQueue,
} from '@skipring/redis';
import type { Logger } from 'pino';
import { TokensService } from './access/tokens.service.js';
import { AppModule } from './app.module.js';
import { readConsole } from './console/console-files.js';
import { DataSetsService } from './data-sets/data-sets.service.js';
import { SampleIndex } from './data-sets/sample-index.js';
import { WorkerGateway } from './gateway/worker-gateway.js';
import { ExportsService, type ExportEntry } from './exports/exports.service.js';
import { serve } from './http/serve.js';
import { CheckpointUploads } from './internal/checkpoint-uploads.js';
import { Admission } from './jobs/admission.js';
import { EventHub } from './jobs/event-hub.js';
import { EventStreams } from './jobs/event-stream.js';
import { JobEntries, type JobEntry } from './jobs/job-entries.js';
import { JobRemoval } from './jobs/job-removal.js';
import { JobsService } from './jobs/jobs.service.js';
import { InitialWeightsStore } from './weights/initial-weights.js';
import { Models } from './jobs/models.js';
import { lead } from './lead.js';
import { openCheckpoints } from './open-checkpoints.js';
import { createLog } from './observe/log.js';
import { openTracing } from './observe/tracing.js';
import { checkedOptions, type CoordinatorOptions } from './options.js';
import { ClusterScheduler } from './scheduling/cluster-scheduler.js';
import { recoverJobs } from './scheduling/recovery.js';
import { SweepsService } from './sweeps/sweeps.service.js';
import { MetricsPage } from './system/metrics-page.js';
import * as tokens from './tokens.js';
import { NUM_DELIVERIES, WebhooksService, type WebhookEntry } from './webhooks/webhooks.service.js';

/** Together less than the time that `main` gives the whole coordinator. */
const REQUESTS_DEADLINE_MS = 3_000;
const WRITES_DEADLINE_MS = 2_000;

export interface Coordinator {
  readonly url: string;
  readonly port: number;
  /** Every route served: method and path. */
  readonly routes: readonly string[];
  /** Resolves when another coordinator has taken over: this one must end at once. */
  readonly leadershipLost: Promise<Error>;
  /** Ends in order: requests in progress have a deadline. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Waits until no other coordinator leads below the same key prefix, then makes the parts, wires them
 * and listens. While it waits it answers at its port that it is alive and not ready.
 * @throws OptionsError, StoreError STORE_UNAVAILABLE when Redis does not answer, and errors of
 *   `listen` and of the file system
 */
export async function createCoordinator(
  given: CoordinatorOptions,
  log: Logger = createLog(given.logLevel),
): Promise<Coordinator> {
  const options = checkedOptions(given);
  const closers: (() => Promise<void>)[] = [];
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= closeAll(closers, log));
  try {
    const { port, routes, leadershipLost } = await start(options, log, closers);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return { url: `http://${host}:${port}`, port, routes, leadershipLost, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: CoordinatorOptions,
  log: Logger,
  closers: (() => Promise<void>)[],
): Promise<Pick<Coordinator, 'port' | 'routes' | 'leadershipLost'>> {
  const closing = new AbortController();
  const metrics = coordinatorMetrics();
  const redisOptions = {
    url: options.redisUrl,
    keyPrefix: options.keyPrefix,
    onError: (error: Error) => {
      log.warn({ err: error }, 'Redis');
    },
  };
  const redis = connectForCommands(redisOptions);
  closers.push(() => closeConnection(redis));
  const holder = `${hostname()} process ${process.pid}`;
  const { keyPrefix } = options;
  const { lease, port } = await lead({ redis, keyPrefix, holder }, options, log);
  closers.push(() => lease.release());
  const store = new RunStore(redis, options.keyPrefix, DEFAULT_RETENTION, lease.number);

  const jobQueue = new WorkQueue<JobEntry>({ ...redisOptions, name: 'jobs', concurrency: 1 });
  closers.push(() => jobQueue.close());
  const dataSetQueue = new WorkQueue<string>({
    ...redisOptions,
    name: 'data-sets',
    concurrency: 1,
  });
  closers.push(() => dataSetQueue.close());

  const checkpoints = await openCheckpoints(options);
  closers.push(() => {
    checkpoints.close();
    return Promise.resolve();
  });
  const stored = new StoredBytes(redis, keyPrefix);
  const dataSets = new DataSetsService(
    new DataSetStore(redis, options.keyPrefix),
    stored,
    dataSetQueue,
    { directory: join(options.dataDirectory, 'data-sets'), roots: options.dataRoots },
    log,
  );
  const entries = new JobEntries(store, jobQueue);
  const hub = new EventHub();
  const tracing = await openTracing(options.tracing, holder, log);
  closers.push(async () => tracing?.close());
  const scheduler = new ClusterScheduler({
    store,
    queue: entries,
    checkpoints: {
      latest: async (jobId) => {
        const { newest, damaged } = await checkpoints.latest(jobId);
        return { step: newest?.entry.step ?? null, damaged: damaged.map(({ message }) => message) };
      },
      raiseFence: (fence) => {
        checkpoints.raiseFence(fence);
      },
    },
    dataSets,
    metrics,
    tracer: tracing?.steps ?? null,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    computeSilenceLimitMs: options.computeSilenceLimitMs,
    takesFaults: options.takesFaults,
    maxWorkers: options.maxWorkers,
    onEvent: ({ type, jobId }) => {
      metrics.countEvent(type);
      hub.publish(jobId);
    },
    log,
  });
  closers.push(() => scheduler.close(WRITES_DEADLINE_MS));
  const admission = new Admission(dataSets, store);
  const models = new Models(checkpoints);
  const weights = new InitialWeightsStore({
    directory: join(options.dataDirectory, 'initial-weights'),
    roots: options.dataRoots,
    models,
    record: (jobId) => jobs.record(jobId),
  });
  const jobs: JobsService = new JobsService({
    store,
    entries,
    admission,
    weights,
    scheduler,
    hub,
    log,
  });
  dataSets.onSettled = (name) => jobs.dataSetSettled(name);

  const streams = new EventStreams(store, hub, options.maxEventStreams, (change) => {
    metrics.addEventStreams(change);
  });
  const accessTokens = new TokensService(new TokenStore(redis, keyPrefix));
  const sweepStore = new SweepStore(redis, keyPrefix);
  const sweeps = new SweepsService({ store: sweepStore, jobs, admission, log });
  closers.push(() => sweeps.close());
  const samples = new SampleIndex();
  dataSets.onRemoved = (hash) => {
    samples.forget(hash);
  };
  dataSets.usedBy = async (name) => [
    ...(await store.index.openJobsOn(name)),
    ...(await sweeps.runningOn(name)),
  ];
  const audit = new AuditStore(redis, keyPrefix);
  const exportQueue = new WorkQueue<ExportEntry>({
    ...redisOptions,
    name: 'exports',
    concurrency: 1,
  });
  closers.push(() => exportQueue.close());
  const exports = new ExportsService({
    directory: join(options.dataDirectory, 'exports'),
    models,
    dataSets,
    find: (jobId) => jobs.find(jobId),
    queue: exportQueue,
    log,
  });
  const removal = new JobRemoval({ store, checkpoints, exports, hub, log });
  const webhookQueue = new WorkQueue<WebhookEntry>({
    ...redisOptions,
    name: 'webhooks',
    concurrency: NUM_DELIVERIES,
    onError: (error) => {
      log.warn({ err: error }, 'webhooks');
    },
  });
  closers.push(() => webhookQueue.close());
  const webhooks = new WebhooksService({
    store: new WebhookStore(redis, keyPrefix),
    runs: store,
    queue: webhookQueue,
    allowPrivate: options.webhooksPrivate,
    log,
  });
  closers.push(() => webhooks.close());
  const queues = {
    jobs: jobQueue,
    'data-sets': dataSetQueue,
    exports: exportQueue,
    webhooks: webhookQueue,
  };
  const provide = (token: symbol, useValue: unknown) => ({ provide: token, useValue });
  const module = AppModule.with([
    provide(tokens.JOBS, jobs),
    provide(tokens.JOB_REMOVAL, removal),
    provide(tokens.MODELS, models),
    provide(tokens.INITIAL_WEIGHTS, weights),
    provide(tokens.EXPORTS, exports),
    provide(tokens.RUN_STORE, store),
    provide(tokens.EVENT_STREAMS, streams),
    provide(tokens.CLOSING, closing.signal),
    provide(tokens.DATA_SETS, dataSets),
    provide(tokens.SAMPLE_INDEX, samples),
    provide(
      tokens.CHECKPOINT_UPLOADS,
      new CheckpointUploads({
        runs: store,
        stored,
        checkpoints,
        scheduler,
        metrics,
        maxBytes: options.maxCheckpointBytes,
        faults: scheduler.faults,
        log,
      }),
    ),
    provide(tokens.CHECKPOINTS, checkpoints),
    provide(
      tokens.METRICS,
      new MetricsPage({
        metrics,
        store,
        scheduler,
        queues,
        dataDirectory: options.dataDirectory,
        log,
      }),
    ),
    provide(tokens.SCHEDULER, scheduler),
    provide(tokens.TOKENS, accessTokens),
    provide(tokens.AUDIT, audit),
    provide(tokens.FAULTS, { desk: scheduler.faults }),
    provide(tokens.SWEEPS, sweeps),
    provide(tokens.WEBHOOKS, webhooks),
  ]);
  await scheduler.recover(await recoverJobs(store, entries));
  await entries.recover();
  const http = await serve(module, {
    host: options.host,
    port,
    tokens: { api: options.apiToken, join: options.joinToken },
    recognise: (token) => accessTokens.recognise(token),
    audit,
    corsOrigins: options.corsOrigins,
    consoleFiles: readConsole(options.consoleDirectory),
    metrics,
    log,
  });
  closers.push(() => http.close(REQUESTS_DEADLINE_MS));
  closers.push(() => {
    closing.abort();
    return Promise.resolve();
  });
  const gateway = new WorkerGateway(scheduler, { ...options, log });
  gateway.attach(http.server);
  closers.push(() => {
    gateway.close();
    return Promise.resolve();
  });
  scheduler.start();
  await dataSets.start();
  await exports.start();
  await removal.recover();
  sweeps.start();
  await webhooks.start();
  jobQueue.start((entry) => jobs.takeTurn(entry));
  return { port: http.port, routes: http.routes, leadershipLost: lease.lost };
}

/** Last opened is closed first; a failure to close one part does not keep the others open. */
async function closeAll(closers: (() => Promise<void>)[], log: Logger): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => {
      log.error({ err: error }, 'a part did not close');
    });
  }
}
