/** What a metric is, apart from any registry. Names follow the conventions of Prometheus. */
export interface MetricDefinition<Label extends string = string> {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** `skipring_`, then what is measured, then the unit; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets?: readonly number[];
}

export function counter<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<Label> & { readonly kind: 'counter' } {
  return { kind: 'counter', name, help, labels };
}

export function gauge<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<Label> & { readonly kind: 'gauge' } {
  return { kind: 'gauge', name, help, labels };
}

export function histogram<const Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): MetricDefinition<Label> & { readonly kind: 'histogram' } {
  return { kind: 'histogram', name, help, buckets, labels };
}
