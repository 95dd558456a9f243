import type { VectorLayout } from './engine.js';
import { TrainerError } from './errors.js';

/** What the loop needs to know about a reduced vector, from one pass over it. */
export interface Inspection {
  /** Fletcher's sums over all elements' bits: equal vectors have equal sums. */
  readonly checksum: readonly [number, number];
  /** Largest magnitude in each slot, shape [numSlots]; in units of the vector's elements. */
  readonly maxima: ArrayLike<number>;
}

/** Scans a reduced vector (Fletcher, "An arithmetic checksum for serial transmissions", 1982). */
export function inspect(vector: Int32Array | Float32Array, layout: VectorLayout): Inspection {
  return { checksum: checksumOf(vector), maxima: maximaOf(vector, layout) };
}

/** Largest magnitude in each slot, shape [numSlots]; in units of the vector's elements. */
export function maximaOf(
  vector: Int32Array | Float32Array,
  { slots }: VectorLayout,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(slots, ({ offset, length }) =>
    maxMagnitude(vector, offset, offset + length),
  );
}

/** Sums of all elements' bits, and of those sums. */
export function checksumOf(vector: Int32Array | Float32Array): readonly [number, number] {
  const words = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  let first = 0;
  let second = 0;
  // By index, here and below: several times as fast as for...of over 10^7 elements.
  const { length } = words;
  for (let i = 0; i < length; i++) {
    first = (first + (words[i] ?? 0)) | 0;
    second = (second + first) | 0;
  }
  return [first, second];
}

function maxMagnitude(vector: Int32Array | Float32Array, from: number, to: number): number {
  let largest = 0;
  let smallest = 0;
  for (let i = from; i < to; i++) {
    const value = vector[i] ?? 0;
    if (value > largest) largest = value;
    if (value < smallest) smallest = value;
  }
  return Math.max(largest, -smallest);
}

/** Sums over the samples of a step. */
export interface StepSums {
  readonly loss: number;
  readonly correct: number;
  readonly samples: number;
}

export function readSums(vector: Int32Array | Float32Array, layout: VectorLayout): StepSums {
  const [lossSum = 0, correct = 0, samples = 0] = vector.subarray(
    layout.metricsOffset,
    layout.metricsOffset + 3,
  );
  const scale = vector instanceof Int32Array ? 2 ** -layout.lossScaleBits : 1;
  return { loss: lossSum * scale, correct, samples };
}

/** Throws SAMPLES_MISMATCH unless a step's lanes held as many samples as they must. */
export function requireSamples({ samples }: StepSums, expected: number, step: number): void {
  if (samples === expected) return;
  throw new TrainerError(
    'SAMPLES_MISMATCH',
    `step ${step}: the lanes held ${samples} samples; expected ${expected}`,
    true,
  );
}

/** Lanes in which each slot overflowed, shape [numSlots]; null when none did. */
export function readOverflow(
  vector: Int32Array | Float32Array,
  layout: VectorLayout,
): Int32Array | Float32Array | null {
  const flags = vector.subarray(layout.overflowOffset, layout.overflowOffset + layout.slots.length);
  return flags.some((flag) => flag !== 0) ? flags : null;
}

/** Names of the slots (and `loss`) in which a lane had a NaN or an infinity. */
export function readNonFinite(
  vector: Int32Array | Float32Array,
  layout: VectorLayout,
): readonly string[] {
  const names = [...layout.slots.map(({ name, kind }) => `${name} (${kind})`), 'loss'];
  return names.filter((_, index) => vector[layout.nonFiniteOffset + index] !== 0);
}

/** Whether no lane's loss was a NaN or an infinity. */
export function isFiniteLoss(vector: Int32Array | Float32Array, layout: VectorLayout): boolean {
  return vector[layout.nonFiniteOffset + layout.slots.length] === 0;
}

/** Throws NON_FINITE_GRADIENT when a lane of the step had a NaN or an infinity. */
export function refuseNonFinite(
  vector: Int32Array | Float32Array,
  layout: VectorLayout,
  step: number,
  lanes: readonly number[],
): void {
  const names = readNonFinite(vector, layout);
  if (names.length > 0) throw nonFiniteError(names, layout, step, lanes);
}

/** The named error of a step with a NaN or an infinity in the slots `names`. */
export function nonFiniteError(
  names: readonly string[],
  layout: VectorLayout,
  step: number,
  lanes: readonly number[],
  numSkipped = 0,
): TrainerError {
  const before = numSkipped === 0 ? '' : ` after ${numSkipped} skipped steps`;
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '');
  return new TrainerError(
    'NON_FINITE_GRADIENT',
    `step ${step}, lane ${lanes.join(', ')}: NaN or infinity in ${shown} ` +
      `(${names.length} of ${layout.slots.length + 1})${before}; expected finite values: ` +
      'try a smaller learning rate or a longer warm-up',
    true,
  );
}
