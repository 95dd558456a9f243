import { TrainerError } from '../errors.js';
import { backedOffExponents, nextExponents } from '../exponents.js';
import type { SumWords } from './sum-words.js';

/** What a rank's lanes add to a sum: some tensors of each lane, alike in all lanes. */
export type LaneTensors = readonly (readonly Float64Array[])[];

export interface ExactSum {
  /** Over all lanes of all ranks, by tensor. */
  readonly sums: readonly Float64Array[];
  /** What the sums were added up with; shape [tensors]. */
  readonly exponents: Int32Array;
  /** For sums like these; shape [tensors]. */
  readonly nextExponents: Int32Array;
  readonly rest: Int32Array;
}

/**
 * Adds up tensors over all lanes in fixed point, with one exponent for each tensor: no order of lanes
 * changes a bit. Where a lane's value does not fit, all ranks see it and add up again with a smaller
 * exponent.
 *
 * @param rest int32 words that travel along
 * @param numLanes lanes of the job
 * @throws TrainerError EXPONENT_EXHAUSTED
 */
export async function sumExactly(
  lanes: LaneTensors,
  sizes: readonly number[],
  start: Int32Array,
  numLanes: number,
  rest: Int32Array,
  sumWords: SumWords,
): Promise<ExactSum> {
  const limit = Math.floor((2 ** 31 - 1) / numLanes);
  for (let exponents = start; ;) {
    const { words, flags } = convert(lanes, sizes, exponents, limit);
    const summed = await sumWords([rest, words, flags]);
    const [sumOfRest, sumOfWords, sumOfFlags] = summed as [Int32Array, Int32Array, Int32Array];
    if (sumOfFlags.every((flag) => flag === 0)) {
      let offset = 0;
      const parts = sizes.map((size) => sumOfWords.subarray(offset, (offset += size)));
      return {
        sums: parts.map((part, index) => dequantised(part, exponents[index] ?? 0)),
        exponents,
        nextExponents: nextExponents(exponents, parts.map(largestOf), numLanes),
        rest: sumOfRest,
      };
    }
    const smaller = backedOffExponents(exponents, sumOfFlags);
    if (smaller === null) {
      const message = 'a compressed gradient does not fit; expected magnitudes below 2^100';
      throw new TrainerError('EXPONENT_EXHAUSTED', message, true);
    }
    exponents = smaller;
  }
}

/** What is left of a value in fixed point. */
export function rounded(value: number, exponent: number): number {
  return Math.round(value * 2 ** exponent) * 2 ** -exponent;
}

function convert(
  lanes: LaneTensors,
  sizes: readonly number[],
  exponents: Int32Array,
  limit: number,
): { words: Int32Array; flags: Int32Array } {
  const words = new Int32Array(sizes.reduce((sum, size) => sum + size, 0));
  const flags = new Int32Array(sizes.length);
  for (const tensors of lanes) {
    let offset = 0;
    tensors.forEach((values, index) => {
      const scale = 2 ** (exponents[index] ?? 0);
      let isFitting = true;
      const { length } = values;
      for (let i = 0; i < length; i++) {
        const word = Math.round((values[i] ?? 0) * scale);
        if (!(Math.abs(word) <= limit)) isFitting = false;
        words[offset + i] = (words[offset + i] ?? 0) + word;
      }
      if (!isFitting) flags[index] = (flags[index] ?? 0) + 1;
      offset += length;
    });
  }
  return { words, flags };
}

function dequantised(words: Int32Array, exponent: number): Float64Array {
  const scale = 2 ** -exponent;
  const { length } = words;
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = (words[i] ?? 0) * scale;
  return values;
}

function largestOf(words: Int32Array): number {
  let largest = 0;
  const { length } = words;
  for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(words[i] ?? 0));
  return largest;
}
