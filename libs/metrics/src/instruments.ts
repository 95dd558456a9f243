import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricDefinition } from './definition.js';

type LabelOf<D> = D extends MetricDefinition<infer Label> ? Label : never;

/** The prom-client instrument of a definition, with its labels checked by the compiler. */
export type InstrumentOf<D extends MetricDefinition> = D['kind'] extends 'counter'
  ? Counter<LabelOf<D>>
  : D['kind'] extends 'gauge'
    ? Gauge<LabelOf<D>>
    : Histogram<LabelOf<D>>;

export type Instruments<T extends Readonly<Record<string, MetricDefinition>>> = {
  readonly [K in keyof T]: InstrumentOf<T[K]>;
};

/** Makes the instruments of a group of definitions in `registry`. */
export function createInstruments<T extends Readonly<Record<string, MetricDefinition>>>(
  definitions: T,
  registry: Registry,
): Instruments<T> {
  const entries = Object.entries(definitions).map(([key, definition]) => [
    key,
    createInstrument(definition, registry),
  ]);
  return Object.fromEntries(entries) as Instruments<T>;
}

function createInstrument(
  { kind, name, help, labels, buckets }: MetricDefinition,
  registry: Registry,
): Counter | Gauge | Histogram {
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  switch (kind) {
    case 'counter':
      return new Counter(common);
    case 'gauge':
      return new Gauge(common);
    case 'histogram':
      return new Histogram({
        ...common,
        ...(buckets === undefined ? {} : { buckets: [...buckets] }),
      });
  }
}
