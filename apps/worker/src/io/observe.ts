import type { WorkerMetrics } from '@skipring/metrics';
import type { WorkerMessage } from '@skipring/protocol';

/** Keeps the metrics up to date with what the worker tells the coordinator. */
export function observeMessage(metrics: WorkerMetrics, message: WorkerMessage): void {
  switch (message.type) {
    case 'step':
      metrics.observeStep(message);
      if (message.stateHash !== null) metrics.countStateHash();
      return;
    case 'checkpoint':
      metrics.observeCheckpoint(message.result, message.heldMs);
      return;
    case 'heartbeat':
      metrics.observeHeartbeat(message.computeSilentMs);
      return;
    case 'aborted':
      metrics.countAbort();
      metrics.leaveGeneration();
      return;
    case 'finished':
    case 'stopped':
      metrics.leaveGeneration();
      return;
    case 'hello':
    case 'loaded':
    case 'ready':
    case 'layers':
    case 'notice':
    case 'evaluation':
    case 'leave':
    case 'faultFired':
      return;
  }
}
