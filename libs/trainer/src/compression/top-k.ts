import type { CompressedSlot } from './compressed-slots.js';
import type { Compressed, Compressor } from './compressor.js';

/** Values of a slot that one lane sends. */
export function numSent({ length }: Pick<CompressedSlot, 'length'>, fraction: number): number {
  return Math.min(length, Math.max(1, Math.ceil(fraction * length)));
}

/**
 * Every lane's largest values of each slot, with their places (Aji and Heafield 2017). Lanes differ in
 * their places, so their words are laid side by side, not added, and every rank adds up all lanes, in
 * their order: 8 bytes for each value of each lane.
 */
export function topK(
  slots: readonly CompressedSlot[],
  fraction: number,
  numLanes: number,
): Compressor {
  const counts = slots.map((slot) => numSent(slot, fraction));
  const perLane = counts.reduce((sum, count) => sum + count, 0);
  return async (lanes, rest, sumWords): Promise<Compressed> => {
    const words = new Int32Array(2 * perLane * numLanes);
    const bits = new Float32Array(words.buffer);
    for (const { lane, slots: values } of lanes) {
      let at = 2 * perLane * lane;
      values.forEach((tensor, i) => {
        for (const place of largest(tensor, counts[i]!)) {
          words[at++] = place;
          bits[at++] = tensor[place]!;
        }
      });
    }
    const [sumOfRest, all] = (await sumWords([rest, words])) as [Int32Array, Int32Array];
    const sums = slots.map(({ length }) => new Float64Array(length));
    const read = (lane: number, into: readonly Float64Array[]): void => {
      const values = new Float32Array(all.buffer, all.byteOffset, all.length);
      let at = 2 * perLane * lane;
      counts.forEach((count, i) => {
        for (let n = 0; n < count; n++, at += 2) into[i]![all[at]!]! += values[at + 1]!;
      });
    };
    for (let lane = 0; lane < numLanes; lane++) read(lane, sums);
    const sent = lanes.map(({ lane }) => {
      const own = slots.map(({ length }) => new Float64Array(length));
      read(lane, own);
      return own;
    });
    return { sums, sent, rest: sumOfRest, accept: () => undefined };
  };
}

/** Places of the `count` largest magnitudes, in ascending order; of equal ones, the first. */
export function largest(values: Float32Array, count: number): Int32Array {
  // Without its sign bit a float32 has the order of an integer: it is ranked by its upper 16 bits,
  // and within the bucket where the count is reached, by the lower ones.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const magnitude = (i: number): number => (bits[i] ?? 0) & 0x7fffffff;
  const upper = threshold(values.length, count, (i) => magnitude(i) >>> 16);
  const lower = threshold(values.length, count - upper.numAbove, (i) =>
    magnitude(i) >>> 16 === upper.value ? magnitude(i) & 0xffff : -1,
  );
  const limit = upper.value * 2 ** 16 + lower.value;
  let numEqual = count - upper.numAbove - lower.numAbove;
  const places = new Int32Array(count);
  let found = 0;
  for (let i = 0; i < values.length && found < count; i++) {
    const size = magnitude(i);
    if (size > limit || (size === limit && numEqual-- > 0)) places[found++] = i;
  }
  return places;
}

/** The greatest 16-bit key such that `count` keys are at least it, and how many are above; -1 is none. */
function threshold(
  length: number,
  count: number,
  keyOf: (index: number) => number,
): { value: number; numAbove: number } {
  const histogram = new Int32Array(2 ** 16);
  for (let i = 0; i < length; i++) {
    const key = keyOf(i);
    if (key >= 0) histogram[key] = (histogram[key] ?? 0) + 1;
  }
  let numAbove = 0;
  for (let value = histogram.length - 1; value > 0; value--) {
    const next = numAbove + (histogram[value] ?? 0);
    if (next >= count) return { value, numAbove };
    numAbove = next;
  }
  return { value: 0, numAbove };
}
