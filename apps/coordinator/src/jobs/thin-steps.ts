import type { StepRecord } from '@skipring/protocol';

/** What of a step is drawn: the least and the greatest of each in a bucket are kept. */
const VALUES: readonly ((step: StepRecord) => number)[] = [
  ({ loss }) => loss,
  ({ accuracy }) => accuracy,
  ({ learningRate }) => learningRate,
  ({ samples, stepMs }) => samples / stepMs,
];
/** A bucket keeps its first step too, for a mean that leans to no side. */
const KEPT_OF_BUCKET = 1 + 2 * VALUES.length;

export interface StepRange {
  readonly fromStep: number;
  /** Included. */
  readonly toStep: number;
}

interface Extremes {
  least: StepRecord;
  greatest: StepRecord;
}

/**
 * Thins a history of steps: cuts it into buckets of consecutive steps and keeps, of each, the first
 * step and those that hold an extreme. A curve through them looks as one through all of them, and
 * every point of it was measured.
 */
export class StepThinner {
  private readonly width: number;
  private readonly fromStep: number;
  private lastStep: number;
  private readonly kept: StepRecord[] = [];
  private bucket = -1;
  private first: StepRecord | null = null;
  private extremes: Extremes[] = [];

  /** @param points about how many steps are kept; all of them where there are no more */
  constructor(range: StepRange, points: number) {
    this.width = bucketWidth(range, points);
    this.fromStep = range.fromStep;
    this.lastStep = range.fromStep - 1;
  }

  /** The step behind the last one that it took. */
  get nextStep(): number {
    return this.lastStep + 1;
  }

  /** Whether it can go on to the end of a longer history: that has buckets of the same width. */
  fits(range: StepRange, points: number): boolean {
    return (
      range.fromStep === this.fromStep &&
      range.toStep >= this.lastStep &&
      bucketWidth(range, points) === this.width
    );
  }

  /** Takes the steps in order, each once. */
  observe(step: StepRecord): void {
    this.lastStep = step.step;
    const bucket = Math.floor((step.step - this.fromStep) / this.width);
    if (bucket !== this.bucket) {
      this.kept.push(...this.keptOfBucket());
      this.bucket = bucket;
      this.first = step;
      this.extremes = VALUES.map(() => ({ least: step, greatest: step }));
      return;
    }
    VALUES.forEach((valueOf, index) => {
      const found = this.extremes[index];
      if (found === undefined) return;
      if (valueOf(step) < valueOf(found.least)) found.least = step;
      if (valueOf(step) > valueOf(found.greatest)) found.greatest = step;
    });
  }

  /** What is kept of the steps so far, in their order. */
  thinned(): StepRecord[] {
    return [...this.kept, ...this.keptOfBucket()];
  }

  private keptOfBucket(): StepRecord[] {
    if (this.first === null) return [];
    const all = this.extremes.flatMap(({ least, greatest }) => [least, greatest]);
    const unique = new Set([this.first, ...all]);
    return [...unique].sort((a, b) => a.step - b.step);
  }
}

/** Steps in a bucket, so that about so many points are kept of the range. */
function bucketWidth({ fromStep, toStep }: StepRange, points: number): number {
  const numSteps = Math.max(1, toStep - fromStep + 1);
  const numBuckets = Math.max(1, Math.floor(points / KEPT_OF_BUCKET));
  return numSteps <= points ? 1 : Math.ceil(numSteps / numBuckets);
}
