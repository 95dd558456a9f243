/** What an all-reduce of one size takes by either algorithm, ms. */
export interface AlgorithmCost {
  readonly bytes: number;
  readonly exchangeMs: number;
  readonly ringMs: number;
}

/** What a `ring` all-reduce of one size takes with segments of at most one size, ms. */
export interface SegmentCost {
  readonly bytes: number;
  readonly segmentBytes: number;
  readonly ms: number;
}

/**
 * Another value takes the place of the present one when it saves this share of the time, over the sizes for
 * which they differ: less is noise.
 */
const MIN_GAIN = 0.1;

/**
 * Size up to which vectors are best reduced by `exchange`: of 0, which is never, and all sizes measured.
 *
 * @param present the value in use, which stays where no other one is clearly better
 */
export function bestExchangeLimit(costs: readonly AlgorithmCost[], present: number): number {
  const timesWith = (limit: number) =>
    costs.map((cost) => (cost.bytes <= limit ? cost.exchangeMs : cost.ringMs));
  return fastest([0, ...costs.map(({ bytes }) => bytes)], timesWith, present);
}

/** Largest size of a segment that is best over all vectors measured; `present` as above, and measured. */
export function bestSegmentBytes(costs: readonly SegmentCost[], present: number): number {
  const timesWith = (size: number) =>
    costs.filter(({ segmentBytes }) => segmentBytes === size).map(({ ms }) => ms);
  return fastest([...new Set(costs.map(({ segmentBytes }) => segmentBytes))], timesWith, present);
}

/** @param timesWith milliseconds of each case with a value, in one order */
function fastest(
  values: readonly number[],
  timesWith: (value: number) => number[],
  present: number,
): number {
  const meanMs = (value: number) => geometricMean(timesWith(value));
  const best = values.reduce((a, b) => (meanMs(b) < meanMs(a) ? b : a), present);
  const before = timesWith(present);
  const changes = timesWith(best).flatMap((ms, i) =>
    ms === before[i] ? [] : [ms / (before[i] ?? ms)],
  );
  return changes.length > 0 && geometricMean(changes) < 1 - MIN_GAIN ? best : present;
}

/** So that a large vector's milliseconds do not outweigh a small one's microseconds. */
function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
