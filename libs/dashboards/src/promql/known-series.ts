import { coordinatorMetrics, workerMetrics } from '@skipring/metrics';

/** Names of series that Prometheus may hold, each with its labels. */
export type KnownSeries = ReadonlyMap<string, ReadonlySet<string>>;

/** Labels that Prometheus itself adds to every series that it scrapes. */
export const TARGET_LABELS = ['job', 'instance'] as const;

interface Registered {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly labelNames: readonly string[];
}

/** Every series that a coordinator or a worker can export, read from their registries. */
export function registeredSeries(): KnownSeries {
  const known = new Map<string, ReadonlySet<string>>();
  known.set('up', new Set(TARGET_LABELS));
  for (const { registry } of [coordinatorMetrics(), workerMetrics()]) {
    for (const metric of registry.getMetricsAsArray() as unknown as Registered[]) {
      const labels = [...metric.labelNames, ...TARGET_LABELS];
      if (metric.type === 'histogram') {
        known.set(`${metric.name}_bucket`, new Set([...labels, 'le']));
        known.set(`${metric.name}_sum`, new Set(labels));
        known.set(`${metric.name}_count`, new Set(labels));
      } else {
        known.set(metric.name, new Set(labels));
      }
    }
  }
  return known;
}
