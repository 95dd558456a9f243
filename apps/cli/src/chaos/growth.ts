import type { Usage } from './process-usage.js';

/** What a process holds while it warms up says nothing: the first fifth of its life, and this much. */
const WARM_UP_SHARE = 0.2;
const WARM_UP_MS = 20_000;
/** A shorter time behind the warm-up says nothing of a trend. */
const MIN_MEASURED_MS = 60_000;
const MIN_SAMPLES = 10;

export interface UsageSample extends Usage {
  readonly atMs: number;
}

/** How a process grew behind its warm-up. */
export interface Growth {
  readonly measuredMs: number;
  readonly mbPerMinute: number;
  /** The last number of descriptors less the first. */
  readonly numMoreDescriptors: number;
}

/** Null of a life that was too short to say. @param samples of one process, from its start to its end */
export function growthOf(samples: readonly UsageSample[]): Growth | null {
  const startMs = samples[0]?.atMs ?? 0;
  const lifeMs = (samples.at(-1)?.atMs ?? 0) - startMs;
  const warmUpMs = Math.max(WARM_UP_MS, lifeMs * WARM_UP_SHARE);
  const measured = samples.filter(({ atMs }) => atMs - startMs >= warmUpMs);
  const [first] = measured;
  const last = measured.at(-1);
  if (first === undefined || last === undefined || measured.length < MIN_SAMPLES) return null;
  const measuredMs = last.atMs - first.atMs;
  if (measuredMs < MIN_MEASURED_MS) return null;
  return {
    measuredMs,
    mbPerMinute: medianSlope(
      measured.map(({ atMs, residentBytes }) => [atMs / 60_000, residentBytes / 1e6]),
    ),
    numMoreDescriptors: last.numDescriptors - first.numDescriptors,
  };
}

/** As many points as make half a million pairs, which take a moment. */
const MAX_POINTS = 1_000;

/**
 * Slope of the line through points (x, y), per unit of x: the median of the slopes between any two
 * (Theil 1950, Sen 1968), which up to a quarter of wild points do not move. Of more than 1,000 points
 * some are left out, evenly; at least two of different x.
 */
export function medianSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const stride = Math.ceil(points.length / MAX_POINTS);
  const kept = points.filter((_, index) => index % stride === 0);
  const slopes = kept.flatMap(([x, y], index) =>
    kept.slice(index + 1).flatMap(([otherX, otherY]) => {
      return otherX === x ? [] : [(otherY - y) / (otherX - x)];
    }),
  );
  slopes.sort((a, b) => a - b);
  const middle = (slopes.length - 1) / 2;
  const [low, high] = [slopes[Math.floor(middle)], slopes[Math.ceil(middle)]];
  if (low === undefined || high === undefined) {
    throw new RangeError(`${points.length} points of one x, expected two of different x`);
  }
  return (low + high) / 2;
}
