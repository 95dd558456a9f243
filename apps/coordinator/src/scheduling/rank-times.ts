import type { RankRecord, StepParts } from '@skipring/protocol';

/** A record is made of a job at most this often. */
const INTERVAL_MS = 2_000;

export interface RankStep {
  readonly rank: number;
  readonly workerId: string;
  readonly parts: StepParts;
  readonly samples: number;
}

interface Sums {
  readonly workerId: string;
  numSteps: number;
  samples: number;
  readonly parts: StepParts;
}

/** Means of how the ranks of a job spend their steps, over a few seconds each. */
export class RankTimes {
  private readonly ranks = new Map<number, Sums>();
  private lastMs = -Infinity;

  observe({ rank, workerId, parts, samples }: RankStep): void {
    const known = this.ranks.get(rank);
    const sums = known?.workerId === workerId ? known : emptySums(workerId);
    this.ranks.set(rank, sums);
    sums.numSteps += 1;
    sums.samples += samples;
    for (const part of partNames(parts)) sums.parts[part] += parts[part];
  }

  /** The members have changed: ranks are others' from now on. */
  restart(): void {
    this.ranks.clear();
  }

  /** The means since the record before; null when that is too short ago, or no rank has reported. */
  take(step: number, timeMs: number): RankRecord | null {
    if (timeMs - this.lastMs < INTERVAL_MS || this.ranks.size === 0) return null;
    this.lastMs = timeMs;
    const ranks = [...this.ranks]
      .sort(([a], [b]) => a - b)
      .map(([rank, sums]) => ({ rank, ...means(sums) }));
    this.ranks.clear();
    return { step, timeMs, ranks };
  }
}

function emptySums(workerId: string): Sums {
  const parts = { dataWaitMs: 0, computeMs: 0, ringMs: 0, commitMs: 0, applyMs: 0 };
  return { workerId, numSteps: 0, samples: 0, parts };
}

function means({ workerId, numSteps, samples, parts }: Sums): Omit<RankRecord['ranks'][0], 'rank'> {
  const mean = { ...parts };
  for (const part of partNames(parts)) mean[part] = parts[part] / numSteps;
  return { workerId, samples: samples / numSteps, parts: mean };
}

function partNames(parts: StepParts): (keyof StepParts)[] {
  return Object.keys(parts) as (keyof StepParts)[];
}
