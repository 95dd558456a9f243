import { requireCount, type LaneShape } from './plan.js';

/**
 * The distinct numbers of samples that lanes of one epoch have, largest first, without the empty
 * lanes: the batch shapes a graph is needed for. At most two, since lanes follow each other without a
 * gap and only the very last of an epoch can be short.
 */
export function trainBatchSizes(numSamples: number, lanes: LaneShape): number[] {
  requireCount('lanes.count', lanes.count);
  return consecutiveSizes(numSamples, lanes.size);
}

/** Number of evaluation batches of at most `size` samples that cover a split. */
export function evaluationBatches(numSamples: number, size: number): number {
  requireCount('numSamples', numSamples);
  requireCount('size', size);
  return Math.ceil(numSamples / size);
}

/** The distinct sizes of evaluation batches, largest first. */
export function evaluationBatchSizes(numSamples: number, size: number): number[] {
  return consecutiveSizes(numSamples, size);
}

function consecutiveSizes(numSamples: number, size: number): number[] {
  requireCount('numSamples', numSamples);
  requireCount('size', size);
  const full = numSamples >= size ? [size] : [];
  const rest = numSamples % size;
  return rest === 0 ? full : [...full, rest];
}
