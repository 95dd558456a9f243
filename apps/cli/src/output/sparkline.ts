const BARS = '▁▂▃▄▅▆▇█';

/**
 * A line of bars for a history: each bar is the mean of its share of the values, the lowest mean is
 * the lowest bar. What is not finite is left out.
 */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const numBars = Math.min(width, finite.length);
  const means = Array.from({ length: numBars }, (_, bar) => {
    const from = Math.floor((bar * finite.length) / numBars);
    const to = Math.floor(((bar + 1) * finite.length) / numBars);
    const share = finite.slice(from, to);
    return share.reduce((sum, value) => sum + value, 0) / share.length;
  });
  const low = Math.min(...means);
  const range = Math.max(...means) - low;
  return means
    .map((mean) => {
      const level = range === 0 ? 0 : Math.round(((mean - low) / range) * (BARS.length - 1));
      return BARS[level] ?? '';
    })
    .join('');
}
