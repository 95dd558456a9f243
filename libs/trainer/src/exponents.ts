/** Every slot's first exponent: a resolution of 2^-24, and 8 lanes hold magnitudes up to 16. */
export const INITIAL_EXPONENT = 24;
/** Range of an exponent: 2^±100 is a normal float32, and so is its product with any useful value. */
export const MIN_EXPONENT = -100;
export const MAX_EXPONENT = 100;
/** Bits that a lane's magnitude may grow by from one step to the next without overflow. */
export const HEADROOM_BITS = 6;
/** A slot that becomes small gains at most so many bits a step: less than the headroom. */
export const MAX_RISE_BITS = 4;
/** A slot that is all zero rises by a bit a step, in case its values were rounded away, up to here. */
export const ZERO_CAP_EXPONENT = 40;
/** Bits taken from a slot that overflowed before its step is repeated. */
export const OVERFLOW_BACKOFF_BITS = 8;

const SUM_BITS = 31;

/** Exponents of a job's first step, shape [numSlots]. */
export function initialExponents(numSlots: number): Int32Array {
  return new Int32Array(numSlots).fill(INITIAL_EXPONENT);
}

/**
 * Bits that the largest magnitude of a reduced slot should have. The sum of `numLanes` independent
 * lanes is about sqrt(numLanes) times as large as one, and a lane may hold 2^31 / numLanes, so
 * HEADROOM_BITS of room for a lane leave 31 - HEADROOM_BITS - log2(numLanes) / 2 bits for the sum.
 */
export function targetBits(numLanes: number): number {
  return SUM_BITS - HEADROOM_BITS - Math.ceil(Math.log2(numLanes) / 2);
}

/**
 * Exponents of the next step: a function of committed history only, hence the same on every rank.
 *
 * @param exponents exponents that the committed step was computed with, shape [numSlots]
 * @param maxima largest magnitude in each slot of the committed sum, shape [numSlots]
 * @param numLanes lanes in a global batch
 */
export function nextExponents(
  exponents: Int32Array,
  maxima: ArrayLike<number>,
  numLanes: number,
): Int32Array {
  const target = targetBits(numLanes);
  return exponents.map((exponent, slot) => {
    const maximum = maxima[slot] ?? 0;
    if (maximum === 0) return exponent < ZERO_CAP_EXPONENT ? exponent + 1 : exponent;
    const bits = Math.floor(Math.log2(maximum)) + 1;
    return clamp(exponent + Math.min(target - bits, MAX_RISE_BITS));
  });
}

/**
 * Exponents with which to repeat a step in which some slots overflowed.
 *
 * @param flags lanes in which each slot overflowed, shape [numSlots]
 * @returns null when a flagged slot is at the smallest exponent already
 */
export function backedOffExponents(
  exponents: Int32Array,
  flags: ArrayLike<number>,
): Int32Array | null {
  const exhausted = exponents.some((exponent, slot) => flags[slot] && exponent === MIN_EXPONENT);
  if (exhausted) return null;
  return exponents.map((exponent, slot) =>
    flags[slot] ? clamp(exponent - OVERFLOW_BACKOFF_BITS) : exponent,
  );
}

function clamp(exponent: number): number {
  return Math.min(MAX_EXPONENT, Math.max(MIN_EXPONENT, exponent));
}
