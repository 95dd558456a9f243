import type { MetricDefinition } from '@skipring/metrics';

type Counter = MetricDefinition & { readonly kind: 'counter' };
type Gauge = MetricDefinition & { readonly kind: 'gauge' };
type Histogram = MetricDefinition & { readonly kind: 'histogram' };

/** The jobs and workers chosen on the dashboard. */
export const CHOSEN_JOBS = 'job_id=~"$job"';
export const CHOSEN_WORKERS = 'instance=~"$worker"';

const RANGE = '[$__rate_interval]';

/** The newest value of a gauge, by labels; the largest one if several series have the same. */
export function latest({ name }: Gauge, by: string, ...matchers: string[]): string {
  return `max by (${by}) (${name}${braces(matchers)})`;
}

/** Events, bytes or the like per second. */
export function perSecond({ name }: Counter, by: string, ...matchers: string[]): string {
  return `sum by (${by}) (rate(${name}${braces(matchers)}${RANGE}))`;
}

/** How often it happened within the dashboard's time range. */
export function total({ name }: Counter, by: string, ...matchers: string[]): string {
  return `sum by (${by}) (increase(${name}${braces(matchers)}[$__range]))`;
}

export function observationsPerSecond(
  { name }: Histogram,
  by: string,
  ...matchers: string[]
): string {
  return `sum by (${by}) (rate(${name}_count${braces(matchers)}${RANGE}))`;
}

/** Time spent per second: the share of the time, for a single thread. */
export function spentPerSecond({ name }: Histogram, by: string, ...matchers: string[]): string {
  return `sum by (${by}) (rate(${name}_sum${braces(matchers)}${RANGE}))`;
}

export function mean(histogram: Histogram, by: string, ...matchers: string[]): string {
  return `${spentPerSecond(histogram, by, ...matchers)} / ${observationsPerSecond(histogram, by, ...matchers)}`;
}

export function quantile(
  q: number,
  { name }: Histogram,
  by: string,
  ...matchers: string[]
): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${name}_bucket${braces(matchers)}${RANGE})))`;
}

function braces(matchers: readonly string[]): string {
  return matchers.length === 0 ? '' : `{${matchers.join(',')}}`;
}
