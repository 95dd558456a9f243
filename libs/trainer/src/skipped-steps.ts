import { OPTIMIZER_PREFIX, type TensorData } from './engine.js';

/** How many steps were skipped, float32 scalar: part of the state, so that it has no luck in it. */
export const SKIPPED_STEPS = `${OPTIMIZER_PREFIX}skippedSteps`;

/** A count as a tensor; exact below 2^24. */
export function countTensor(count: number): TensorData {
  return { shape: [], values: Float32Array.of(count) };
}
