import type { Position } from '@skipring/protocol';
import { DataError } from '../error.js';
import { globalBatchSize, stepsPerEpoch, type LaneShape } from './plan.js';

/**
 * How far a job has come. `cursor`, the number of samples committed in `epoch`, is a multiple of the
 * global batch size, and 0 again when the epoch's last step commits; `step` counts all commits.
 */
export type DataPosition = Position;

export const START_POSITION: DataPosition = { step: 0, epoch: 0, cursor: 0 };

/** The position after committing the step at `position`. */
export function advance(
  position: DataPosition,
  numSamples: number,
  lanes: LaneShape,
): DataPosition {
  const cursor = stepInEpoch(position, numSamples, lanes) * globalBatchSize(lanes);
  const next = cursor + globalBatchSize(lanes);
  const step = position.step + 1;
  return next >= numSamples
    ? { step, epoch: position.epoch + 1, cursor: 0 }
    : { step, epoch: position.epoch, cursor: next };
}

/** Samples that the step at `position` uses: the global batch size, or fewer at an epoch's end. */
export function samplesInStep(
  position: DataPosition,
  numSamples: number,
  lanes: LaneShape,
): number {
  return Math.min(globalBatchSize(lanes), numSamples - position.cursor);
}

/**
 * Number of the step within its epoch, from 0.
 *
 * @throws DataError INVALID_POSITION if step, epoch and cursor do not fit each other or the split
 */
export function stepInEpoch(position: DataPosition, numSamples: number, lanes: LaneShape): number {
  const batch = globalBatchSize(lanes);
  const index = position.cursor / batch;
  const { step, epoch, cursor } = position;
  if (!Number.isSafeInteger(index) || cursor < 0 || cursor >= numSamples) {
    throw new DataError(
      'INVALID_POSITION',
      `cursor is ${cursor}; expected a multiple of ${batch} in [0, ${numSamples})`,
    );
  }
  const expected = epoch * stepsPerEpoch(numSamples, batch) + index;
  if (!Number.isSafeInteger(epoch) || epoch < 0 || step !== expected) {
    throw new DataError(
      'INVALID_POSITION',
      `step is ${step}; expected ${expected} at epoch ${epoch}, cursor ${cursor}`,
    );
  }
  return index;
}

/** The position before global step `step`, counted from 0. */
export function positionOf(step: number, numSamples: number, lanes: LaneShape): DataPosition {
  const batch = globalBatchSize(lanes);
  const steps = stepsPerEpoch(numSamples, batch);
  const epoch = Math.floor(step / steps);
  return { step, epoch, cursor: (step - epoch * steps) * batch };
}
