import type { Bucket, SlotKind, TensorSlot, VectorLayout } from '../engine.js';

const LOSS_SCALE_BITS = 16;

/** Places the tensors one after the other, then metrics and flags. */
export function layoutOf(
  tensors: readonly { name: string; kind: SlotKind; shape: readonly number[] }[],
  numBuckets: 1 | 2 = 1,
): VectorLayout {
  let offset = 0;
  const slots = tensors.map(({ name, kind, shape }): TensorSlot => {
    const length = shape.reduce((product, size) => product * size, 1);
    offset += length;
    return { name, kind, shape, offset: offset - length, length };
  });
  const overflowOffset = offset + 3;
  const nonFiniteOffset = overflowOffset + slots.length;
  const length = nonFiniteOffset + slots.length + 1;
  const lossScaleBits = LOSS_SCALE_BITS;
  const buckets = bucketsOf(slots, numBuckets);
  const places = { metricsOffset: offset, overflowOffset, nonFiniteOffset, length };
  return { slots, buckets, ...places, lossScaleBits };
}

/** All slots, or the first one behind the others. */
function bucketsOf(slots: readonly TensorSlot[], numBuckets: 1 | 2): Bucket[] {
  const bounds = numBuckets === 1 ? [slots.length, 0] : [slots.length, 1, 0];
  return bounds.slice(1).map((firstSlot, index) => {
    const endSlot = bounds[index] ?? 0;
    const own = slots.slice(firstSlot, endSlot);
    const length = own.reduce((sum, slot) => sum + slot.length, 0);
    return { firstSlot, endSlot, offset: own[0]?.offset ?? 0, length };
  });
}

/** A lane's values as its vector: in fixed point, with the flags set, when exact. */
export function convert(
  values: Float64Array,
  layout: VectorLayout,
  reduction: 'exact' | 'float32',
  exponents: Int32Array,
  lanes: number,
): Int32Array | Float32Array {
  const limit = Math.floor((2 ** 31 - 1) / lanes);
  const exact = reduction === 'exact';
  layout.slots.forEach(({ offset, length }, slot) => {
    const own = values.subarray(offset, offset + length);
    const finite = own.every((value) => Number.isFinite(value));
    if (!finite) values[layout.nonFiniteOffset + slot] = 1;
    if (!exact) return;
    const scale = 2 ** (exponents[slot] ?? 0);
    own.forEach((value, i) => (own[i] = Math.round(value * scale)));
    if (finite && own.some((value) => Math.abs(value) > limit)) {
      values[layout.overflowOffset + slot] = 1;
    }
  });
  const loss = values[layout.metricsOffset] ?? 0;
  if (!Number.isFinite(loss)) values[layout.nonFiniteOffset + layout.slots.length] = 1;
  if (exact) values[layout.metricsOffset] = Math.round(loss * 2 ** layout.lossScaleBits);
  return exact ? Int32Array.from(values) : Float32Array.from(values);
}
