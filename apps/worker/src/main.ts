import { pino } from 'pino';
import { loadTensorFlow } from '@skipring/graph';
import { STOP_DEADLINES_MS } from '@skipring/protocol';
import type { RingTls } from '@skipring/transport-ws';
import { ComputeWorker } from './compute/compute-worker.js';
import { CoordinatorHttp } from './compute/coordinator-http.js';
import { IoLink } from './compute/io-link.js';
import { openJob } from './compute/open-job.js';
import { Departure } from './departure.js';
import { FaultInjector } from './faults/fault-injector.js';
import { OptionsError, readOptions, type WorkerOptions } from './options.js';
import { Pulse } from './pulse.js';
import { readRingTls } from './read-ring-tls.js';

let options: WorkerOptions;
let ringTls: RingTls | null;
try {
  options = readOptions(process.env);
  ringTls = await readRingTls(options.ringTls);
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`error: the environment is not valid (${error.code})\n${error.message}\n`);
  process.exit(7);
}

// Written at once: behind, the last line before an exit overtakes one that is on its way.
const log = pino(
  { level: options.logLevel, base: { workerId: options.workerId } },
  pino.destination({ dest: 1, sync: true }),
);
const { device, tf32, threads } = options;
const loaded = await loadTensorFlow({ threads, tf32, device }).catch((error: unknown) => {
  log.fatal({ err: error }, 'TensorFlow cannot be loaded; `skipring doctor` says what is missing');
  process.exit(7);
});

const pulse = new Pulse();
pulse.start();

let exiting = false;
const departure = new Departure(
  {
    sendLeave(reason, graceMs) {
      link.send({ type: 'leave', reason, graceMs });
    },
    shutDown(exitCode) {
      void shutDown(exitCode);
    },
    exitNow(exitCode) {
      process.exit(exitCode);
    },
  },
  options.graceMs,
);

const { link, metricsPort, ringPort } = await IoLink.start(
  {
    coordinatorUrl: options.coordinatorUrl,
    joinToken: options.joinToken,
    workerId: options.workerId,
    advertisedHost: options.advertisedHost,
    hostLabel: options.hostLabel,
    ringTls,
    ringLocalSockets: options.ringLocalSockets,
    ringSharedMemory: options.ringSharedMemory,
    ringPort: options.ringPort,
    metricsHost: options.metricsHost,
    metricsPort: options.metricsPort,
    threads,
    tf32,
    device: loaded.device,
    visibleDevices: options.visibleDevices,
    logLevel: options.logLevel,
    tracing: options.tracing,
    takesFaults: options.takesFaults,
    pulse: pulse.buffer,
  },
  {
    onMessage(message) {
      if (message.type === 'welcome') departure.connected();
      worker.handle(message);
    },
    onGatewayClosed() {
      departure.disconnected();
      worker.gatewayClosed();
    },
    onFatal({ code, message }) {
      log.fatal({ code }, message);
      departure.end(1);
    },
  },
).catch((error: unknown) => {
  log.fatal({ err: error }, 'the I/O thread cannot start');
  process.exit(1);
});

const http = new CoordinatorHttp(options.coordinatorUrl, options.joinToken);
const worker = new ComputeWorker(
  link,
  (prepare) => openJob(prepare, http, options, options.cacheDirectory),
  log,
  () => {
    log.info('released by the coordinator');
    departure.end(0);
  },
  options.takesFaults ? new FaultInjector(link) : null,
  options.overlaps,
);

async function shutDown(exitCode: number): Promise<void> {
  if (exiting) return;
  exiting = true;
  setTimeout(() => process.exit(exitCode), STOP_DEADLINES_MS.workerShutDown);
  await worker.close();
  await link.close();
  pulse.stop();
  process.exit(exitCode);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    departure.signalled(signal);
  });
}
if (options.parentPipe) {
  process.stdin.resume();
  process.stdin.once('close', () => {
    departure.end(0);
  });
}
log.info({ event: 'ready', metricsPort, ringPort, device: loaded.device }, 'worker started');
