import { globalBatchSize, stepsPerEpoch } from '@skipring/data';
import type { JobSpec, Position } from '@skipring/protocol';
import { isBest } from './state.js';
import type { Scores } from './state.js';
import { lastPeriod, passedMultiple } from './sync/periods.js';

/** What decides what is due at a position. All of it is the same on every rank. */
export interface Progress {
  readonly spec: JobSpec;
  readonly totalSteps: number;
  /** Samples of the training split. */
  readonly numSamples: number;
  readonly state: { readonly position: Position; readonly scores: Scores };
}

/** Every `everyEpochs` epochs, when a period is over, and at the end; once for each position. */
export function evaluationDue(progress: Progress): boolean {
  const { spec, totalSteps, state } = progress;
  const { position, scores } = state;
  if (scores.last?.step === position.step) return false;
  if (position.step === totalSteps) return true;
  const { everyEpochs } = spec.evaluation;
  return everyEpochs > 0 && passedEpochs(progress, everyEpochs);
}

/** Every `everySteps` steps, at the end of epochs to keep, at the best accuracy so far, and at the end. */
export function checkpointDue(progress: Progress): boolean {
  const { spec, totalSteps, state } = progress;
  const { step } = state.position;
  const { everySteps, keepBest, keepEveryEpochs } = spec.checkpoints;
  if (step === 0) return false;
  if (step === totalSteps || (keepBest && isBest(state))) return true;
  if (passedMultiple(everySteps, step, lastPeriod(spec, step))) return true;
  return keepEveryEpochs > 0 && passedEpochs(progress, keepEveryEpochs);
}

/** At the first step and each `everySteps`-th, for a job that asks for statistics. */
export function statisticsDue({ statistics }: Pick<JobSpec, 'statistics'>, step: number): boolean {
  return statistics !== undefined && (step === 1 || step % statistics.everySteps === 0);
}

/** Every `hashEverySteps` steps, at epoch ends, and before whatever is stored. */
export function hashDue(progress: Progress, hashEverySteps: number): boolean {
  const { spec, state } = progress;
  const { step } = state.position;
  if (step === 0) return false;
  return (
    passedMultiple(hashEverySteps, step, lastPeriod(spec, step)) ||
    passedEpochs(progress, 1) ||
    checkpointDue(progress)
  );
}

/** Whether a multiple of `every` epochs ended in the last period. */
function passedEpochs({ spec, numSamples, state }: Progress, every: number): boolean {
  const { step } = state.position;
  const steps = stepsPerEpoch(numSamples, globalBatchSize(spec.lanes));
  return passedMultiple(every * steps, step, lastPeriod(spec, step));
}
