import type { TensorMap } from '../engine.js';

// The mean over replicas of how far each tensor moved in a period, as an exact sum: changes become
// int32 with one exponent for each tensor, which integer addition adds up in any order. The exponent
// is that of the largest change of all replicas, so nothing overflows, and the resolution is
// 2^-30 * replicas of that change or better. Loops by index: `Float64Array.from` with a function takes
// fifteen times as long.

/** Fixed-point magnitudes of all replicas together stay below 2^31. */
const SUM_BITS = 30;

/** How far each tensor moved: `before - after`, float32 of its shape, by name. */
export function changeOf(before: TensorMap, after: TensorMap, names: readonly string[]): Change {
  return new Map(
    names.map((name) => {
      const old = before.get(name)?.values ?? new Float32Array();
      const values = after.get(name)?.values ?? new Float32Array();
      const { length } = old;
      const change = new Float32Array(length);
      for (let i = 0; i < length; i++) change[i] = (old[i] ?? 0) - (values[i] ?? 0);
      return [name, change];
    }),
  );
}

export type Change = ReadonlyMap<string, Float32Array>;

/** Largest magnitude of each tensor over some changes, in the order of `names`; NaN if one is. */
export function largest(changes: readonly Change[], names: readonly string[]): Float32Array {
  return Float32Array.from(names, (name) => {
    let maximum = 0;
    for (const change of changes) {
      const values = change.get(name) ?? new Float32Array();
      const { length } = values;
      for (let i = 0; i < length; i++) {
        const magnitude = Math.abs(values[i] ?? 0);
        // Not `>`, so that a NaN gets through.
        if (!(magnitude <= maximum)) maximum = magnitude;
      }
    }
    return maximum;
  });
}

/**
 * Fixed-point exponent of each tensor.
 *
 * @param maxima largest magnitudes over all replicas, finite
 */
export function exponentsFor(maxima: Float32Array, numReplicas: number): Int32Array {
  const bits = SUM_BITS - Math.ceil(Math.log2(numReplicas));
  return Int32Array.from(maxima, (maximum) =>
    // Above 2^-126 a float32 has a resolution of 2^-149.
    maximum === 0 ? 0 : Math.min(149, bits - Math.floor(Math.log2(maximum)) - 1),
  );
}

/** Adds one replica's change to `sum`: tensor after tensor, in fixed point. */
export function addChange(
  sum: Int32Array,
  change: Change,
  names: readonly string[],
  exponents: Int32Array,
): void {
  let offset = 0;
  names.forEach((name, index) => {
    const values = change.get(name) ?? new Float32Array();
    const scale = 2 ** (exponents[index] ?? 0);
    const { length } = values;
    for (let i = 0; i < length; i++) {
      sum[offset + i] = (sum[offset + i] ?? 0) + Math.round((values[i] ?? 0) * scale);
    }
    offset += length;
  });
}

/** The mean change of one tensor: `sum * 2^-exponent / numReplicas`, float64. */
export function meanOf(sum: Int32Array, exponent: number, numReplicas: number): Float64Array {
  const scale = 2 ** -exponent;
  const { length } = sum;
  const mean = new Float64Array(length);
  for (let i = 0; i < length; i++) mean[i] = ((sum[i] ?? 0) * scale) / numReplicas;
  return mean;
}
