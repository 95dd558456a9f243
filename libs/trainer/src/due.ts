import type { JobSpec, Position } from '@skipring/protocol';
import { isBest } from './state.js';
import type { Scores } from './state.js';

/** What decides what is due at a position. All of it is part of the state: the same on every rank. */
export interface Progress {
  readonly position: Position;
  readonly scores: Scores;
}

export function atEpochStart({ cursor, step }: Position): boolean {
  return cursor === 0 && step > 0;
}

/** Every `everyEpochs` epochs and at the end; once for each position. */
export function evaluationDue(spec: JobSpec, total: number, progress: Progress): boolean {
  const { position, scores } = progress;
  if (scores.last?.step === position.step) return false;
  if (position.step === total) return true;
  const { everyEpochs } = spec.evaluation;
  return everyEpochs > 0 && atEpochStart(position) && position.epoch % everyEpochs === 0;
}

/** Every `everySteps` steps, at the best accuracy so far, and at the end. */
export function checkpointDue(spec: JobSpec, total: number, progress: Progress): boolean {
  const { step } = progress.position;
  if (step === 0) return false;
  return step === total || step % spec.checkpoints.everySteps === 0 || isBest(progress);
}

/** Every `hashEverySteps` steps, at epoch ends, and before whatever is stored. */
export function hashDue(
  spec: JobSpec,
  total: number,
  progress: Progress,
  hashEverySteps: number,
): boolean {
  const { position } = progress;
  if (position.step === 0) return false;
  return (
    position.step % hashEverySteps === 0 ||
    atEpochStart(position) ||
    checkpointDue(spec, total, progress)
  );
}
