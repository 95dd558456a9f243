import type { EvaluationResult, StepRecord } from '@skipring/protocol';
import { smooth, type Curve, type Mark } from '../charts/chart-data.js';

export type XAxis = 'step' | 'time';

export interface CurveView {
  readonly xAxis: XAxis;
  /** Share of the past that a step keeps, on [0, 1). */
  readonly smoothing: number;
}

export type StepValue = 'loss' | 'accuracy' | 'learningRate' | 'imagesPerSecond';

const valueOf: Readonly<Record<StepValue, (step: StepRecord) => number>> = {
  loss: ({ loss }) => loss,
  accuracy: ({ accuracy }) => accuracy,
  learningRate: ({ learningRate }) => learningRate,
  imagesPerSecond: ({ samples, stepMs }) => (stepMs > 0 ? (1_000 * samples) / stepMs : 0),
};

/** The smoothed are noisy by nature; a learning rate is as the schedule says. */
const IS_NOISY: Readonly<Record<StepValue, boolean>> = {
  loss: true,
  accuracy: true,
  learningRate: false,
  imagesPerSecond: true,
};

/** Where steps lie on the x axis: at their number, or at the seconds since the first. */
export class StepAxis {
  readonly x: readonly number[];
  /** Usual distance of neighbours in the whole history. */
  readonly unit: number;

  constructor(
    private readonly steps: readonly StepRecord[],
    readonly kind: XAxis,
  ) {
    const startMs = steps[0]?.timeMs ?? 0;
    this.x = steps.map(({ step, timeMs }) =>
      kind === 'step' ? step : ((timeMs ?? startMs) - startMs) / 1_000,
    );
    const numSteps = (steps.at(-1)?.step ?? 0) - (steps[0]?.step ?? 0);
    const width = (this.x.at(-1) ?? 0) - (this.x[0] ?? 0);
    this.unit = numSteps > 0 && width > 0 ? width / numSteps : 1;
  }

  /** Where a step lies, known or between two that are known. */
  at(step: number): number {
    if (this.kind === 'step') return step;
    const after = this.steps.findIndex((known) => known.step >= step);
    return this.x[after < 0 ? this.x.length - 1 : after] ?? 0;
  }

  /** The step at a place. */
  stepAt(x: number): number {
    if (this.kind === 'step') return x;
    const after = this.x.findIndex((known) => known >= x);
    return this.steps[after < 0 ? this.steps.length - 1 : after]?.step ?? 0;
  }
}

/** The curve of one value; where it is smoothed, what it was made of lies faintly under it. */
export function stepCurves(
  steps: readonly StepRecord[],
  axis: StepAxis,
  value: StepValue,
  name: string,
  color: number,
  smoothing: number,
): Curve[] {
  const { x } = axis;
  const y = steps.map(valueOf[value]);
  if (smoothing <= 0 || !IS_NOISY[value]) return [{ name, x, y, color }];
  return [
    { name: `${name}, not smoothed`, x, y, color, isFaint: true },
    { name, x, y: smooth(x, y, smoothing, axis.unit), color },
  ];
}

export function evaluationCurve(
  evaluations: readonly EvaluationResult[],
  axis: StepAxis,
  value: 'loss' | 'accuracy',
  name: string,
  color: number,
): Curve {
  return {
    name,
    x: evaluations.map(({ step }) => axis.at(step)),
    y: evaluations.map((evaluation) => evaluation[value]),
    color,
    isSparse: true,
  };
}

/** Marks at their place on the axis. */
export function placed(marks: readonly Mark[], axis: StepAxis): Mark[] {
  return marks.map((mark) => ({ ...mark, x: axis.at(mark.x) }));
}
