import type { StepParts } from '@skipring/protocol';

/** Parts of a step that a rank spends on its own work; in the others it waits for peers. */
const OWN_PARTS = ['dataWaitMs', 'computeMs', 'applyMs'] as const;
export type OwnPart = (typeof OWN_PARTS)[number];

/** Steps that are looked at together: one slow step says nothing. */
const WINDOW_STEPS = 10;
/** A rank is slow when a lane takes it this many times as long as the median rank. */
const SLOW_RATIO = 1.5;
/** Below this, differences of a whole step are noise. */
const MIN_EXCESS_MS = 20;

/** A rank that holds up the others. */
export interface Straggler {
  readonly rank: number;
  /** The part of the step in which it loses most. */
  readonly part: OwnPart;
  /** Its time for a lane, over the median of all ranks. */
  readonly ratio: number;
}

/** What the ranks of one generation report of their steps, and which of them is slow. */
export class StragglerWatch {
  private readonly reports: StepParts[][];
  private named: number | null = null;

  /** @param numLanes by rank */
  constructor(private readonly numLanes: readonly number[]) {
    this.reports = numLanes.map(() => []);
  }

  /** @returns a straggler when this report makes a rank one, once for each */
  observe(rank: number, parts: StepParts): Straggler | null {
    const reports = this.reports[rank];
    if (reports === undefined) return null;
    reports.push(parts);
    if (reports.length > WINDOW_STEPS) reports.shift();
    if (this.reports.some(({ length }) => length < WINDOW_STEPS)) return null;
    const straggler = slowest(this.reports, this.numLanes);
    const isNew = straggler !== null && straggler.rank !== this.named;
    this.named = straggler?.rank ?? null;
    return isNew ? straggler : null;
  }

  /** Time of a lane, by rank, from the steps that are remembered; in milliseconds. */
  laneMs(): number[] {
    return laneTimes(this.reports, this.numLanes);
  }
}

/**
 * The slowest rank, if it is slow. With two ranks the faster one is the measure.
 * @param reports of each rank, the same steps
 */
export function slowest(
  reports: readonly (readonly StepParts[])[],
  numLanes: readonly number[],
): Straggler | null {
  if (reports.length < 2) return null;
  const times = laneTimes(reports, numLanes);
  const worst = Math.max(...times);
  const rank = times.indexOf(worst);
  const usual = lowerMedian(times);
  const excessMs = (worst - usual) * (numLanes[rank] ?? 1);
  if (worst < usual * SLOW_RATIO || excessMs < MIN_EXCESS_MS) return null;
  const lost = OWN_PARTS.map((part) => {
    const byRank = reports.map(
      (steps, of) => lowerMedian(steps.map((p) => p[part])) / (numLanes[of] ?? 1),
    );
    return (byRank[rank] ?? 0) - lowerMedian(byRank);
  });
  const part = OWN_PARTS[lost.indexOf(Math.max(...lost))] ?? 'computeMs';
  return { rank, part, ratio: worst / Math.max(usual, Number.EPSILON) };
}

function laneTimes(
  reports: readonly (readonly StepParts[])[],
  numLanes: readonly number[],
): number[] {
  return reports.map((steps, rank) => {
    const own = steps.map((parts) => OWN_PARTS.reduce((sum, part) => sum + parts[part], 0));
    return lowerMedian(own) / Math.max(1, numLanes[rank] ?? 1);
  });
}

function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}
