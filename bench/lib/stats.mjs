/** The value below which a share `q` of the values lies, by linear interpolation. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = Math.floor(place);
  const next = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[next] - sorted[low]) * (place - low);
}

/** Median and spread of repeated timings. */
export function summary(values) {
  return {
    median: quantile(values, 0.5),
    p10: quantile(values, 0.1),
    p90: quantile(values, 0.9),
    runs: values.length,
  };
}

/**
 * Times the sides in turn, a, b, a, b, ..., so that a change in the machine's speed meets all of
 * them. Each side is an asynchronous function that resolves to the milliseconds it took.
 */
export async function interleave(sides, { warmups, runs }) {
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let run = -warmups; run < runs; run++) {
    for (const [name, measure] of Object.entries(sides)) {
      const elapsedMs = await measure();
      if (run >= 0) times[name].push(elapsedMs);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, summary(values)]));
}
