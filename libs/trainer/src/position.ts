import type { JobSpec, Position } from '@skipring/protocol';

/** The part of a spec that the arithmetic of positions depends on. */
export type StepPlan = Pick<JobSpec, 'training' | 'lanes'>;

/** Samples in every step of an epoch but a short last one. */
export function globalBatchSize({ lanes }: StepPlan): number {
  return lanes.count * lanes.size;
}

/** Steps in one pass over `numSamples` samples; the last one may be short. */
export function numStepsPerEpoch(plan: StepPlan, numSamples: number): number {
  return Math.ceil(numSamples / globalBatchSize(plan));
}

/** Optimizer updates of the whole job, from `training.epochs` or `training.steps`. */
export function totalSteps(plan: StepPlan, numSamples: number): number {
  const { epochs, steps } = plan.training;
  if (steps !== undefined) return steps;
  return (epochs ?? 0) * numStepsPerEpoch(plan, numSamples);
}

/** Samples in the step that starts at `position`: fewer than a global batch in a short last step. */
export function numSamplesInStep(plan: StepPlan, numSamples: number, position: Position): number {
  return Math.min(globalBatchSize(plan), numSamples - position.cursor);
}

/** The step of its epoch that starts at `position`, from 0. */
export function stepInEpoch(plan: StepPlan, position: Position): number {
  return position.cursor / globalBatchSize(plan);
}

/** Where training stands once the step at `position` is committed; moves on to the next epoch. */
export function advance(plan: StepPlan, numSamples: number, position: Position): Position {
  const cursor = position.cursor + numSamplesInStep(plan, numSamples, position);
  const step = position.step + 1;
  return cursor === numSamples
    ? { step, epoch: position.epoch + 1, cursor: 0 }
    : { step, epoch: position.epoch, cursor };
}

/** Where every job starts. */
export const START: Position = Object.freeze({ step: 0, epoch: 0, cursor: 0 });
