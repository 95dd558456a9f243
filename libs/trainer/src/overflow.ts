import { TrainerError } from './errors.js';
import { backedOffExponents } from './exponents.js';
import type { TrainingState } from './state.js';

/**
 * Exponents with which to repeat a step in which some slots overflowed.
 *
 * @param step steps before this one
 * @param flags lanes in which each slot overflowed, shape [numSlots]
 * @throws TrainerError EXPONENT_EXHAUSTED
 */
export function backOff(
  { engine }: Pick<TrainingState, 'engine'>,
  step: number,
  exponents: Int32Array,
  flags: ArrayLike<number>,
): Int32Array {
  const smaller = backedOffExponents(exponents, flags);
  if (smaller !== null) return smaller;
  const name = engine.layout.slots.find((_, slot) => flags[slot])?.name ?? '';
  throw new TrainerError(
    'EXPONENT_EXHAUSTED',
    `step ${step + 1}: the gradient of ${name} does not fit the smallest ` +
      'fixed-point exponent; expected magnitudes below 2^100',
    true,
  );
}
