import type { GraphBuilder } from '../graph-builder.js';
import type { Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';
import { slotName, type OptimizerSpec } from './optimizers.js';

// With a moving average of the weights, a parameter's own variable holds the average: it is what is
// evaluated, hashed and exported. What training moves lies among the optimizer's slots.

/** Name of the variable that training moves for a parameter. */
export function trainedName({ weightAverage }: OptimizerSpec, parameter: string): string {
  return weightAverage === undefined ? parameter : slotName('trained', parameter);
}

/**
 * What an average keeps of itself at an update, from 1: less at the beginning, when it is of little
 * (`tf.train.ExponentialMovingAverage` with the number of updates).
 */
export function decayAt(decay: number, step: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/**
 * Adds `average -= (1 - decay) * (average - trained)` after the update of `trained`.
 *
 * @param share 1 - decay, float32 scalar
 * @param update name of the node that moves `trained`
 * @returns name of the node that moves the average
 */
export function moveAverage(
  g: GraphBuilder,
  variables: VariableSet,
  { parameter, trained }: { readonly parameter: string; readonly trained: string },
  share: Output,
  update: string,
): string {
  const difference = g.binary('Sub', variables.read(parameter), variables.read(trained, [update]));
  return variables.subtract(parameter, g.binary('Mul', difference, share));
}
