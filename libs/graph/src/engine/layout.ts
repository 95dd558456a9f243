import type { TensorSlot, VectorLayout } from '@skipring/trainer';

/**
 * Fractional bits of the loss in an exact vector: a sum of 32,768 over all samples of a step fits,
 * to a precision of 1.5e-5.
 */
const LOSS_SCALE_BITS = 16;

/** What the slots of a vector are to hold, in order. */
export type SlotShape = Pick<TensorSlot, 'name' | 'kind' | 'shape'>;

/** Places the slots one behind the other, then metrics and flags (see `VectorLayout`). */
export function layoutOf(shapes: readonly SlotShape[]): VectorLayout {
  let offset = 0;
  const slots = shapes.map((shape) => {
    const length = shape.shape.reduce((product, size) => product * size, 1);
    const slot = { ...shape, offset, length };
    offset += length;
    return slot;
  });
  const overflowOffset = offset + NUM_METRICS;
  const nonFiniteOffset = overflowOffset + slots.length;
  return {
    slots,
    metricsOffset: offset,
    overflowOffset,
    nonFiniteOffset,
    length: nonFiniteOffset + slots.length + 1,
    lossScaleBits: LOSS_SCALE_BITS,
  };
}

/** Loss sum, correct predictions and samples. */
export const NUM_METRICS = 3;
