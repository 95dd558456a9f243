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
  private readonly kept: StepRecord[] = [];
  private bucket = -1;
  private first: StepRecord | null = null;
  private extremes: Extremes[] = [];

  /** @param points about how many steps are kept; all of them where there are no more */
  constructor(
    private readonly range: StepRange,
    points: number,
  ) {
    const numSteps = Math.max(1, range.toStep - range.fromStep + 1);
    const numBuckets = Math.max(1, Math.floor(points / KEPT_OF_BUCKET));
    this.width = numSteps <= points ? 1 : Math.ceil(numSteps / numBuckets);
  }

  /** Takes the steps in order, each once. */
  observe(step: StepRecord): void {
    const bucket = Math.floor((step.step - this.range.fromStep) / this.width);
    if (bucket !== this.bucket) {
      this.closeBucket();
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

  /** What is kept, in order of steps. */
  finish(): StepRecord[] {
    this.closeBucket();
    return this.kept;
  }

  private closeBucket(): void {
    if (this.first === null) return;
    const all = this.extremes.flatMap(({ least, greatest }) => [least, greatest]);
    const unique = new Set([this.first, ...all]);
    this.kept.push(...[...unique].sort((a, b) => a.step - b.step));
    this.first = null;
  }
}
