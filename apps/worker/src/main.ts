import { pino } from 'pino';
import { loadTensorFlow } from '@skipring/graph';
import { ComputeWorker } from './compute/compute-worker.js';
import { CoordinatorHttp } from './compute/coordinator-http.js';
import { IoLink } from './compute/io-link.js';
import { OptionsError, readOptions, type WorkerOptions } from './options.js';
import { Pulse } from './pulse.js';

/** A worker that is asked to go has this long to finish its step and hand over its lanes. */
const LEAVE_TIMEOUT_MS = 30_000;

let options: WorkerOptions;
try {
  options = readOptions(process.env);
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`error: the environment is not valid (${error.code})\n${error.message}\n`);
  process.exit(7);
}

const log = pino({ level: options.logLevel, base: { workerId: options.workerId } });
const { device, threads } = options;
const loaded = await loadTensorFlow({ threads, device }).catch((error: unknown) => {
  log.fatal({ err: error }, 'TensorFlow cannot be loaded; `skipring doctor` says what is missing');
  process.exit(7);
});

const pulse = new Pulse();
pulse.start();

let exiting = false;
let connected = false;
let leaveTimer: NodeJS.Timeout | null = null;

const { link, metricsPort, ringPort } = await IoLink.start(
  {
    coordinatorUrl: options.coordinatorUrl,
    joinToken: options.joinToken,
    workerId: options.workerId,
    advertisedHost: options.advertisedHost,
    ringPort: options.ringPort,
    metricsHost: options.metricsHost,
    metricsPort: options.metricsPort,
    threads,
    device: loaded.device,
    logLevel: options.logLevel,
    pulse: pulse.buffer,
  },
  {
    onMessage(message) {
      if (message.type === 'welcome') connected = true;
      worker.handle(message);
    },
    onGatewayClosed() {
      connected = false;
      worker.gatewayClosed();
    },
    onFatal({ code, message }) {
      log.fatal({ code }, message);
      void exit(1);
    },
  },
);

const worker = new ComputeWorker(
  link,
  new CoordinatorHttp(options.coordinatorUrl, options.joinToken),
  options.cacheDirectory,
  log,
  () => {
    log.info('released by the coordinator');
    void exit(0);
  },
);

/** First signal: hand over and go. A second one, no coordinator or no answer in time: go now. */
function leave(reason: string): void {
  if (leaveTimer !== null || !connected) {
    void exit(connected ? 1 : 0);
    return;
  }
  link.send({ type: 'leave', reason });
  leaveTimer = setTimeout(() => void exit(1), LEAVE_TIMEOUT_MS);
}

async function exit(code: number): Promise<void> {
  if (exiting) return;
  exiting = true;
  if (leaveTimer !== null) clearTimeout(leaveTimer);
  // The ring and the gateway close first, so that peers know at once; then training ends.
  const hardStop = setTimeout(() => process.exit(code), 10_000);
  hardStop.unref();
  await worker.close();
  await link.close();
  pulse.stop();
  process.exit(code);
}

process.on('SIGTERM', () => {
  leave('SIGTERM');
});
process.on('SIGINT', () => {
  leave('SIGINT');
});
if (options.parentPipe) {
  process.stdin.resume();
  process.stdin.once('close', () => void exit(0));
}
log.info({ event: 'ready', metricsPort, ringPort, device: loaded.device }, 'worker started');
