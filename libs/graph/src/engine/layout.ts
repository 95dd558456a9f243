import type { Bucket, TensorSlot, VectorLayout } from '@skipring/trainer';

/**
 * Fractional bits of the loss in an exact vector: a sum of 32,768 over all samples of a step fits,
 * to a precision of 1.5e-5.
 */
const LOSS_SCALE_BITS = 16;

/** What the slots of a vector are to hold, in order. */
export type SlotShape = Pick<TensorSlot, 'name' | 'kind' | 'shape'>;

/** A bucket is closed once it has so many bytes; `npm run bench -- overlap` measures it. */
export const BUCKET_BYTES = 8e6;

/**
 * Places the slots one behind the other, then metrics and flags (see `VectorLayout`).
 *
 * @param bucketBytes bytes at which a bucket is closed
 */
export function layoutOf(
  shapes: readonly SlotShape[],
  bucketBytes: number = BUCKET_BYTES,
): VectorLayout {
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
    buckets: bucketsOf(slots, bucketBytes),
    metricsOffset: offset,
    overflowOffset,
    nonFiniteOffset,
    length: nonFiniteOffset + slots.length + 1,
    lossScaleBits: LOSS_SCALE_BITS,
  };
}

const BYTES_PER_ELEMENT = 4;

/** Loss sum, correct predictions and samples. */
export const NUM_METRICS = 3;

/**
 * The slots in buckets, from the last to the first: a backward pass finishes the gradients of the
 * last layers first, and batch statistics, the last slots, are there before it begins.
 */
function bucketsOf(slots: readonly TensorSlot[], bucketBytes: number): Bucket[] {
  const buckets: Bucket[] = [];
  let endSlot = slots.length;
  let length = 0;
  for (let firstSlot = slots.length - 1; firstSlot >= 0; firstSlot--) {
    const { offset, length: numElements, kind } = slots[firstSlot]!;
    length += numElements;
    const isFull = kind === 'gradient' && length * BYTES_PER_ELEMENT >= bucketBytes;
    if (!isFull && firstSlot > 0) continue;
    buckets.push({ firstSlot, endSlot, offset, length });
    endSlot = firstSlot;
    length = 0;
  }
  return buckets;
}
