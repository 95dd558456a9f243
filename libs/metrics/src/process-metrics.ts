import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges whose names end in `_total`, which Prometheus keeps for counters; the sums by type stay. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** CPU, memory, file descriptors, event loop lag and garbage collection of this process. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}
