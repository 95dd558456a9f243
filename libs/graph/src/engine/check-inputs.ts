import { EngineError, type LaneBatch, type VectorLayout } from '@skipring/trainer';
import type { InputShape } from './record-lane.js';

/** Throws EngineError INPUT_MISMATCH when a batch is not what its number of samples says. */
export function checkBatch(
  { images, labels, samples }: LaneBatch,
  { height, width, channels }: InputShape,
  numClasses: number,
): void {
  const numValues = samples * height * width * channels;
  expect(images instanceof Float32Array, 'images', 'another type', 'float32');
  expect(labels instanceof Int32Array, 'labels', 'another type', 'int32');
  expect(images.length === numValues, 'images', `${images.length} values`, `${numValues}`);
  expect(labels.length === samples, 'labels', `${labels.length} values`, `${samples}`);
  const outside = labels.find((label) => label < 0 || label >= numClasses);
  expect(outside === undefined, 'labels', `class ${outside}`, `0 to ${numClasses - 1}`);
}

/** Throws EngineError INPUT_MISMATCH when there is not one exponent for each slot. */
export function checkExponents({ length }: Int32Array, { slots }: VectorLayout): void {
  expect(length === slots.length, 'exponents', `${length} values`, `${slots.length}`);
}

/** Throws EngineError INPUT_MISMATCH when a reduced vector has another type or length. */
export function checkVector(
  vector: Int32Array | Float32Array,
  { length }: VectorLayout,
  reduction: 'exact' | 'float32',
): void {
  const isFitting = vector instanceof (reduction === 'exact' ? Int32Array : Float32Array);
  const type = reduction === 'exact' ? 'int32' : 'float32';
  expect(isFitting, 'reduced vector', 'another type', `${type} for reduction ${reduction}`);
  expect(vector.length === length, 'reduced vector', `${vector.length} values`, `${length}`);
}

function expect(holds: boolean, what: string, given: string, expected: string): void {
  if (!holds) throw new EngineError('INPUT_MISMATCH', `${what}: ${given}, expected ${expected}`);
}
