import { advance } from '@skipring/data';
import type { Position, SkippedStep, StepParts } from '@skipring/protocol';
import type { Generation } from './generation.js';
import type { StepReport } from './ports.js';
import type { ReducedStep } from './reduce-step.js';
import { isFiniteLoss, type StepSums } from './reduced-vector.js';
import type { Stopwatch } from './stopwatch.js';
import type { Period } from './sync/train-period.js';

/** What is told of a loss that is not finite. */
const GREATEST_LOSS = 2 ** 15;

/** What was so before the commit. */
export interface Before {
  readonly position: Position;
  readonly bytesSent: number;
}

/** A committed step as this rank saw it. */
export function describe(
  g: Generation,
  before: Before,
  { sums, samples, numRepeats, ringHiddenMs, skipped }: ReducedStep,
  learningRate: number,
  watch: Stopwatch,
): StepReport {
  return {
    step: before.position.step + 1,
    parts: watch.parts,
    ringHiddenMs,
    ringBytes: g.collective.bytesSent - before.bytesSent,
    samples,
    numRepeats,
    metrics: metricsOf(g, before.position, sums, learningRate, watch.elapsedMs, skipped),
  };
}

/** The steps of a committed period. Times and bytes are of the whole period, in equal parts. */
export function describePeriod(
  g: Generation,
  before: Before,
  { sums, samples, numRepeats }: Period,
  watch: Stopwatch,
): StepReport[] {
  const numSteps = sums.length;
  const ringBytes = g.collective.bytesSent - before.bytesSent;
  const parts = Object.fromEntries(
    Object.entries(watch.parts).map(([part, ms]: [string, number]) => [part, ms / numSteps]),
  ) as StepParts;
  let { position } = before;
  return sums.map((step, index) => {
    const isLast = index === numSteps - 1;
    const learningRate = g.schedule(position.step);
    const stepMs = watch.elapsedMs / numSteps;
    const report = {
      step: position.step + 1,
      parts,
      ringHiddenMs: 0,
      ringBytes: share(ringBytes, index, numSteps),
      samples: share(samples, index, numSteps),
      numRepeats: isLast ? numRepeats : 0,
      metrics: metricsOf(g, position, step, learningRate, stepMs),
    };
    position = advance(position, g.numSamples, g.spec.lanes);
    return report;
  });
}

/** Part `index` of a whole number in equal parts; the parts are whole and add up to it. */
function share(whole: number, index: number, numParts: number): number {
  return Math.floor(((index + 1) * whole) / numParts) - Math.floor((index * whole) / numParts);
}

/** Global results of the step at `position`; null on all ranks but 0. */
function metricsOf(
  g: Generation,
  { step, epoch, cursor }: Position,
  { loss, correct, samples }: StepSums,
  learningRate: number,
  stepMs: number,
  skipped: SkippedStep | null = null,
): StepReport['metrics'] {
  if (g.collective.rank !== 0) return null;
  const isLossFinite = skipped === null || isFiniteLoss(g.vector, g.state.engine.layout);
  return {
    step: step + 1,
    epoch,
    cursor: cursor + samples,
    loss: isLossFinite ? loss / samples : GREATEST_LOSS,
    accuracy: correct / samples,
    learningRate,
    samples,
    stepMs,
    ...(skipped === null ? {} : { skipped }),
  };
}
