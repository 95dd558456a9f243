/** Samples of a page in Prometheus' text format: values by series, `name{labels}`. */
export function samplesOf(page: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** Whether a page has a sample of this metric; of a histogram, one that has observed something. */
export function hasSample(
  samples: ReadonlyMap<string, number>,
  { name, kind }: { readonly name: string; readonly kind: string },
): boolean {
  return [...samples].some(([series, value]) => {
    const [base] = series.split('{');
    return kind === 'histogram' ? base === `${name}_count` && value > 0 : base === name;
  });
}
