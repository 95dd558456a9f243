import { parentPort, workerData } from 'node:worker_threads';
import { workerMetrics } from '@skipring/metrics';
import { PROTOCOL_VERSION, type RingSettings, type WorkerMessage } from '@skipring/protocol';
import type { Tracing } from '@skipring/tracing';
import type { SilenceLimits } from '@skipring/transport-ws';
import { pino } from 'pino';
import { RingFaults } from '../faults/ring-faults.js';
import { PulseWatch } from '../pulse.js';
import { describeError } from '../thread-error.js';
import type { ComputeToIo, IoRequest, IoThreadData, IoToCompute } from '../thread-messages.js';
import { watchDevice } from './device-watch.js';
import { GatewayClient } from './gateway-client.js';
import { HeldState } from './held-state.js';
import { serveMetrics } from './metrics-server.js';
import { observeMessage } from './observe.js';
import { RingSession } from './ring-session.js';

if (parentPort === null) throw new Error('io/thread is the entry of a worker thread');
const port = parentPort;
const data = workerData as IoThreadData;
const log = pino(
  { level: data.logLevel, base: { workerId: data.workerId, thread: 'io' } },
  pino.destination({ dest: 1, sync: true }),
);
const metrics = workerMetrics();
const tracing = await openTracing();
const deviceWatch = data.device.kind === 'gpu' ? openDeviceWatch() : null;

const post = (message: IoToCompute): void => {
  port.postMessage(message);
};

const faults = data.takesFaults
  ? new RingFaults((id, fence) => gateway.flush({ type: 'faultFired', id, fence }))
  : null;
let silence: SilenceLimits | null = null;
let ringSettings: RingSettings = {};
const ring = await RingSession.listen(
  ringBindAddress(data.advertisedHost),
  data.ringPort,
  data.ringTls,
  {
    localSockets: data.ringLocalSockets,
    sharedMemory: data.ringSharedMemory,
    faults,
    silence: () => silence,
    settings: () => ringSettings,
    onBroken(fence, { code, message }) {
      log.warn({ event: 'ringBroken', ...fence, code }, message);
    },
    onLeft(fence) {
      log.info({ event: 'ringLeft', ...fence }, 'ring left');
    },
  },
);
const metricsServer = await serveMetrics(metrics, data.metricsHost, data.metricsPort);

let computeSilenceLimitMs = Infinity;
let isEnding = false;
const pulse = new PulseWatch(data.pulse, (silentMs) => {
  if (silentMs <= computeSilenceLimitMs || isEnding) return;
  isEnding = true;
  // Nothing in this process can end a native call that hangs, so the process ends.
  log.fatal({ event: 'computeHangs', silentMs }, 'the compute thread hangs; the worker ends');
  void gateway.flush({ type: 'heartbeat', computeSilentMs: silentMs }).then(() => {
    process.kill(process.pid, 'SIGKILL');
  });
});

let heartbeat: NodeJS.Timeout | null = null;
const stopHeartbeat = (): void => {
  if (heartbeat !== null) clearInterval(heartbeat);
  heartbeat = null;
};

const held = new HeldState();
const gateway = new GatewayClient(
  {
    coordinatorUrl: data.coordinatorUrl,
    joinToken: data.joinToken,
    hello: () => ({
      type: 'hello',
      protocolVersion: PROTOCOL_VERSION,
      workerId: data.workerId,
      host: data.advertisedHost,
      ringPort: ring.port,
      ...(ring.localName !== null && { ringLocalName: ring.localName }),
      hostLabel: data.hostLabel,
      device: data.device,
      threads: data.threads,
      tf32: data.tf32,
      takesFaults: data.takesFaults,
      held: held.current,
    }),
  },
  {
    onMessage(message) {
      held.received(message);
      if (message.type === 'welcome') {
        stopHeartbeat();
        silence = {
          pingIntervalMs: message.heartbeatIntervalMs,
          limitMs: message.heartbeatTimeoutMs,
        };
        ({ computeSilenceLimitMs } = message);
        ringSettings = message.ring ?? {};
        heartbeat = setInterval(() => {
          const { incomingLink } = ring;
          send({
            type: 'heartbeat',
            computeSilentMs: pulse.silentMs,
            ...(incomingLink && { incomingLink }),
          });
        }, message.heartbeatIntervalMs);
        metrics.setConnected(true);
        log.info('connected to the coordinator');
      }
      // A new generation or a stop makes any collective in flight pointless: end it at once.
      if (message.type === 'prepare' || message.type === 'stop') {
        void ring.disconnect();
      }
      post({ kind: 'message', message });
    },
    onClosed(reason) {
      stopHeartbeat();
      metrics.setConnected(false);
      log.warn({ reason }, 'connection to the coordinator lost');
      post({ kind: 'gatewayClosed' });
    },
    onRefused(code, message) {
      post({ kind: 'fatal', error: { code, message } });
    },
  },
);

function send(message: WorkerMessage): void {
  observeMessage(metrics, message);
  if (message.type === 'step') tracing?.steps.rankStep(message);
  held.sent(message);
  gateway.send(message);
}

async function answer(request: IoRequest): Promise<void> {
  switch (request.kind) {
    case 'connectRing':
      await ring.connect(request);
      metrics.enterGeneration(request.fence, request.rank, request.members.length);
      return;
    case 'collective':
      await ring.run(request.call);
      return;
    case 'announce':
      await gateway.flush(request.message);
      return;
    case 'closeRing':
      await ring.disconnect();
      metrics.leaveGeneration();
      return;
  }
}

async function close(): Promise<void> {
  deviceWatch?.stop();
  stopHeartbeat();
  pulse.close();
  gateway.close();
  await Promise.all([ring.close(), tracing?.close()]);
  await metricsServer.close();
  port.close();
}

port.on('message', (message: ComputeToIo) => {
  switch (message.kind) {
    case 'request':
      answer(message.request).then(
        () => {
          post({ kind: 'reply', id: message.id, error: null, traffic: ring.traffic });
        },
        (error: unknown) => {
          post({
            kind: 'reply',
            id: message.id,
            error: describeError(error),
            traffic: ring.traffic,
          });
        },
      );
      return;
    case 'send':
      send(message.message);
      return;
    case 'strikeRing':
      faults?.arm(message.strike, message.fence);
      return;
    case 'close':
      void close();
      return;
  }
});

function openDeviceWatch(): { stop(): void } {
  return watchDevice({
    visibleDevices: data.visibleDevices,
    onReading: (reading) => {
      metrics.observeDevice(reading);
    },
    onEnd: (reason) => {
      log.warn({ reason }, 'metrics without the memory and utilisation of the GPU');
    },
  });
}

/** OpenTelemetry is loaded only where it is asked for. */
async function openTracing(): Promise<Tracing | null> {
  if (data.tracing === null) return null;
  const { startTracing } = await import('@skipring/tracing');
  return startTracing({
    ...data.tracing,
    serviceName: 'skipring-worker',
    instanceId: data.workerId,
    onProblem: (error) => {
      log.warn({ err: error }, 'spans are not delivered');
    },
  });
}

/** Loopback stays on loopback; any other advertised host means that peers come from outside. */
function ringBindAddress(host: string): string {
  return host === '127.0.0.1' || host === 'localhost' ? '127.0.0.1' : '0.0.0.0';
}

post({ kind: 'started', metricsPort: metricsServer.port, ringPort: ring.port });
gateway.open();
