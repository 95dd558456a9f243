import type { Instruments } from './instruments.js';
import type { MetricDefinition } from './definition.js';

interface Labelled {
  get(): Promise<{ values: readonly { labels: Partial<Record<string, string | number>> }[] }>;
  remove(labels: Record<string, string>): void;
}

/**
 * Removes every time series whose `label` has this value. Without it each job and worker that ever
 * was would stay in memory and in each scrape.
 */
export async function removeSeries(
  instruments: Instruments<Readonly<Record<string, MetricDefinition>>>,
  label: string,
  value: string,
): Promise<void> {
  for (const instrument of Object.values(instruments) as unknown as Labelled[]) {
    const { values } = await instrument.get();
    for (const labels of distinctLabels(values.map((entry) => entry.labels))) {
      if (labels[label] === value) instrument.remove(labels);
    }
  }
}

/** A histogram has a value for each bucket: `le` is none of its own labels. */
function distinctLabels(
  all: readonly Partial<Record<string, string | number>>[],
): Record<string, string>[] {
  const distinct = new Map<string, Record<string, string>>();
  for (const each of all) {
    const labels: Record<string, string> = {};
    for (const [name, value] of Object.entries(each)) {
      if (name !== 'le' && value !== undefined) labels[name] = String(value);
    }
    distinct.set(JSON.stringify(labels), labels);
  }
  return [...distinct.values()];
}
