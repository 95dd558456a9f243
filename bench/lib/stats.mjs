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

/**
 * Line of least squares through `[x, y]`: its slope, and the standard error of that from the scatter
 * of ten equal parts, so that slow swings count as scatter.
 */
export function slope(points) {
  const part = Math.floor(points.length / 10);
  const means = Array.from({ length: 10 }, (_, index) => {
    const own = points.slice(index * part, (index + 1) * part);
    const mean = (place) => own.reduce((sum, point) => sum + point[place], 0) / own.length;
    return [mean(0), mean(1)];
  });
  const centre = (place) => means.reduce((sum, point) => sum + point[place], 0) / means.length;
  const [x0, y0] = [centre(0), centre(1)];
  const spread = means.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
  const perStep = means.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0) / spread;
  const rest = means.reduce((sum, [x, y]) => sum + (y - y0 - perStep * (x - x0)) ** 2, 0);
  return { perStep, error: Math.sqrt(rest / (means.length - 2) / spread) };
}
