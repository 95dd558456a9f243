import type { CompressedSlot } from './compressed-slots.js';
import type { Compressed, Compressor } from './compressor.js';
import { sumExactly } from './exact-sum.js';

/** Bits that what was left out may be larger by than a gradient. */
const LEFT_OUT_BITS = 2;

/**
 * All values of all lanes in fixed point: the step that ends a period, after which nothing is left out.
 *
 * @param slotExponents fixed-point exponents of the gradients, shape [compressed slots]
 */
export function whole(
  slots: readonly CompressedSlot[],
  slotExponents: Int32Array,
  numLanes: number,
): Compressor {
  return async (lanes, rest, sumWords): Promise<Compressed> => {
    const own = lanes.map((lane) => lane.slots.map((values) => Float64Array.from(values)));
    const sizes = slots.map(({ length }) => length);
    const start = slotExponents.map((exponent) => exponent - LEFT_OUT_BITS);
    const sum = await sumExactly(own, sizes, start, numLanes, rest, sumWords);
    return { sums: sum.sums, sent: own, rest: sum.rest, accept: () => undefined };
  };
}
