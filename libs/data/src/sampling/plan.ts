import { DataError } from '../error.js';

/** How a job cuts a split into global batches and lanes. */
export interface LaneShape {
  /** Lanes in a global batch. */
  readonly count: number;
  /** Samples in a lane. */
  readonly size: number;
}

/** All that decides which samples a lane gets. */
export interface SamplingPlan {
  readonly seed: number;
  readonly numSamples: number;
  readonly lanes: LaneShape;
}

/** Samples in a full global batch. */
export function globalBatchSize(lanes: LaneShape): number {
  return lanes.count * lanes.size;
}

/** Steps of one epoch: the last may be short, and is never padded or dropped. */
export function stepsPerEpoch(numSamples: number, globalBatch: number): number {
  requireCount('numSamples', numSamples);
  requireCount('globalBatch', globalBatch);
  return Math.ceil(numSamples / globalBatch);
}

/** Throws DataError INVALID_ARGUMENT unless the value is an integer of at least 1. */
export function requireCount(field: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new DataError('INVALID_ARGUMENT', `${field} is ${value}; expected an integer >= 1`);
  }
}

/** Throws DataError INVALID_ARGUMENT unless the value is an integer in [0, limit). */
export function requireIndex(field: string, value: number, limit: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= limit) {
    throw new DataError(
      'INVALID_ARGUMENT',
      `${field} is ${value}; expected an integer in [0, ${limit})`,
    );
  }
}
