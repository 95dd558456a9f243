import type { StepParts, StragglerPart } from '@skipring/protocol';

/** A rank is slow when a lane takes it so many times as long as the median rank, */
const SLOW_RATIO = 1.5;
/** and is slow no longer below this: a rank between the two stays what it was. */
const RECOVERED_RATIO = 1.2;
/** Differences of a whole step below this are noise. */
export const MIN_EXCESS_MS = 20;

/** What a rank spends on its own work; in the other parts of a step it waits for its peers. */
const OWN_PARTS = {
  data: 'dataWaitMs',
  compute: 'computeMs',
  apply: 'applyMs',
} as const satisfies Partial<Record<StragglerPart, keyof StepParts>>;

/** A rank that holds up the others. */
export interface SlowRank {
  readonly rank: number;
  readonly part: StragglerPart;
  /** Its time for a lane, over that of the median rank. */
  readonly ratio: number;
}

/**
 * What the ranks of one generation report of their steps; of each the median of a window counts, so one slow
 * step says nothing. Never changed, only replaced.
 */
export interface StepWatch {
  readonly numLanes: readonly number[];
  readonly windowSteps: number;
  /** By rank, the newest last; at most `windowSteps` of each. */
  readonly reports: readonly (readonly StepParts[])[];
  /** Ranks that are slow. */
  readonly slow: readonly SlowRank[];
}

/** @param numLanes that each rank owns, by rank */
export function newWatch(numLanes: readonly number[], windowSteps: number): StepWatch {
  return { numLanes, windowSteps, reports: numLanes.map(() => []), slow: [] };
}

/** Whether enough is known of every rank. */
export function isFull({ reports, windowSteps }: StepWatch): boolean {
  return reports.every(({ length }) => length === windowSteps);
}

/** The watch with a report more. Ranks are compared once a step, when rank 0 reports. */
export function observed(watch: StepWatch, rank: number, parts: StepParts): StepWatch {
  const reports = watch.reports.map((steps, of) =>
    of === rank ? [...steps, parts].slice(-watch.windowSteps) : steps,
  );
  const next = { ...watch, reports };
  return rank === 0 && isFull(next) ? { ...next, slow: slowRanks(next) } : next;
}

/** Time that each rank needs for a lane, in milliseconds, by rank. */
export function laneTimes({ reports, numLanes }: StepWatch): number[] {
  return reports.map((steps, rank) => {
    const own = steps.map((parts) =>
      Object.values(OWN_PARTS).reduce((sum, part) => sum + parts[part], 0),
    );
    return lowerMedian(own) / (numLanes[rank] ?? 1);
  });
}

/** Of an even number of values the lower one: of two ranks the faster is the measure. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}

/** The slowest first. Where most ranks are as slow, none of them is. */
function slowRanks(watch: StepWatch): SlowRank[] {
  const times = laneTimes(watch);
  const usual = lowerMedian(times);
  return times
    .flatMap((time, rank) => {
      const wasSlow = watch.slow.some((other) => other.rank === rank);
      const limit = wasSlow ? RECOVERED_RATIO : SLOW_RATIO;
      const excessMs = (time - usual) * (watch.numLanes[rank] ?? 1);
      if (time < usual * limit || excessMs < MIN_EXCESS_MS) return [];
      return { rank, part: partOf(watch, rank), ratio: time / Math.max(usual, Number.EPSILON) };
    })
    .sort((a, b) => b.ratio - a.ratio);
}

/** The part in which a rank loses most against the median rank. */
function partOf({ reports, numLanes }: StepWatch, rank: number): StragglerPart {
  const lost = Object.entries(OWN_PARTS).map(([part, key]) => {
    const byRank = reports.map(
      (steps, of) => lowerMedian(steps.map((parts) => parts[key])) / (numLanes[of] ?? 1),
    );
    return { part: part as StragglerPart, ms: (byRank[rank] ?? 0) - lowerMedian(byRank) };
  });
  return lost.reduce((most, other) => (other.ms > most.ms ? other : most)).part;
}
