import type { Usage } from './process-usage.js';

/** What a process holds while it warms up says nothing: the first fifth of its life, and this much. */
const WARM_UP_SHARE = 0.2;
const WARM_UP_MS = 120_000;
/** In a shorter time behind the warm-up what is compiled and kept once looks like a trend. */
const MIN_MEASURED_MS = 480_000;
/** Of the time behind the warm-up: long enough each that what one holds says little of the next. */
const NUM_BLOCKS = 10;
/** Of the normal distribution: within so many deviations lie 95 %. */
const DEVIATIONS = 1.96;

export interface UsageSample extends Usage {
  readonly atMs: number;
}

/** How a process grew behind its warm-up. */
export interface Growth {
  readonly measuredMs: number;
  /** Resident memory: minutes since its start, MB; medians over a tenth of the time each. */
  readonly memory: readonly (readonly [minutes: number, mb: number])[];
  /** The last number of descriptors less the first. */
  readonly numMoreDescriptors: number;
}

/** A slope and how far off it may be: it lies between `low` and `high` with a probability of 95 %. */
export interface Slope {
  readonly mbPerMinute: number;
  readonly low: number;
  readonly high: number;
}

/** Null of a life that was too short to say. @param samples of one process, from its start to its end */
export function growthOf(samples: readonly UsageSample[]): Growth | null {
  const startMs = samples[0]?.atMs ?? 0;
  const lifeMs = (samples.at(-1)?.atMs ?? 0) - startMs;
  const warmUpMs = Math.max(WARM_UP_MS, lifeMs * WARM_UP_SHARE);
  const measured = samples.filter(({ atMs }) => atMs - startMs >= warmUpMs);
  const [first] = measured;
  const last = measured.at(-1);
  if (first === undefined || last === undefined) return null;
  const measuredMs = last.atMs - first.atMs;
  if (measuredMs < MIN_MEASURED_MS) return null;
  const blocks = Array.from({ length: NUM_BLOCKS }, (): UsageSample[] => []);
  for (const sample of measured) {
    const block = Math.floor(((sample.atMs - first.atMs) / measuredMs) * NUM_BLOCKS);
    blocks[Math.min(block, NUM_BLOCKS - 1)]?.push(sample);
  }
  // A process that did not answer for a tenth of its life is not judged.
  if (blocks.some(({ length }) => length === 0)) return null;
  return {
    measuredMs,
    memory: blocks.map((block) => [
      (median(block.map(({ atMs }) => atMs)) - startMs) / 60_000,
      median(block.map(({ residentBytes }) => residentBytes)) / 1e6,
    ]),
    numMoreDescriptors: last.numDescriptors - first.numDescriptors,
  };
}

/**
 * How memory grows within lives, over all of them: the median of the slopes between any two points of a
 * life (Theil 1950, Sen 1968), which a few wild points do not move. Its interval is Sen's, by the number
 * of pairs that would be in order by chance, summed over the lives (Hirsch, Slack and Smith 1982).
 *
 * @param growths at least one
 */
export function slopeWithin(growths: readonly Pick<Growth, 'memory'>[]): Slope {
  const slopes = growths.flatMap(({ memory }) => pairSlopes(memory)).sort((a, b) => a - b);
  const variance = growths.reduce((sum, { memory: { length: n } }) => {
    return sum + (n * (n - 1) * (2 * n + 5)) / 18;
  }, 0);
  const reach = DEVIATIONS * Math.sqrt(variance);
  const at = (rank: number): number =>
    slopes[Math.min(Math.max(Math.round(rank), 0), slopes.length - 1)] ?? 0;
  return {
    mbPerMinute: median(slopes),
    low: at((slopes.length - reach) / 2 - 1),
    high: at((slopes.length + reach) / 2),
  };
}

function pairSlopes(points: Growth['memory']): number[] {
  return points.flatMap(([x, y], index) =>
    points.slice(index + 1).map(([otherX, otherY]) => (otherY - y) / (otherX - x)),
  );
}

/** @param values at least one */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
