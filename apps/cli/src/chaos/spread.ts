export interface Spread {
  readonly p50: number;
  readonly max: number;
  readonly count: number;
}

/** Null of no value. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const p50 = sorted[(sorted.length - 1) >> 1] ?? 0;
  return { p50, max: sorted.at(-1) ?? 0, count: sorted.length };
}
