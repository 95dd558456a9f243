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

/** Another value takes the place of the present one when it saves this share of the time: less is noise. */
const MIN_GAIN = 0.02;

/**
 * Size up to which vectors are best reduced by `exchange`: of 0, which is never, and all sizes measured.
 *
 * @param present the value in use, which stays where no other one is clearly better
 */
export function bestExchangeLimit(costs: readonly AlgorithmCost[], present: number): number {
  const meanMs = (limit: number) =>
    geometricMean(costs.map((cost) => (cost.bytes <= limit ? cost.exchangeMs : cost.ringMs)));
  return leastCost([0, ...costs.map(({ bytes }) => bytes)], meanMs, present);
}

/** Largest size of a segment that is best over all vectors measured; `present` as above, and measured. */
export function bestSegmentBytes(costs: readonly SegmentCost[], present: number): number {
  const meanMs = (size: number) =>
    geometricMean(costs.filter(({ segmentBytes }) => segmentBytes === size).map(({ ms }) => ms));
  return leastCost([...new Set(costs.map(({ segmentBytes }) => segmentBytes))], meanMs, present);
}

function leastCost(
  values: readonly number[],
  meanMs: (value: number) => number,
  present: number,
): number {
  const best = values.reduce((a, b) => (meanMs(b) < meanMs(a) ? b : a), present);
  return meanMs(best) < (1 - MIN_GAIN) * meanMs(present) ? best : present;
}

/** So that a large vector's milliseconds do not outweigh a small one's microseconds. */
function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
