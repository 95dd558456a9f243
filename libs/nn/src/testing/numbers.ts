import { PhiloxStream } from '@skipring/protocol';

/** Standard normal numbers, the same for the same seed. */
export function normals(size: number, seed: number): Float32Array {
  const stream = new PhiloxStream(seed);
  return Float32Array.from({ length: size }, () => stream.nextNormal());
}

/** Largest absolute difference, as a share of the largest absolute value expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let magnitude = 0;
  for (let index = 0; index < expected.length; index++) {
    const value = expected[index] ?? NaN;
    const gap = Math.abs((actual[index] ?? NaN) - value);
    if (Number.isNaN(gap)) return Infinity;
    difference = Math.max(difference, gap);
    magnitude = Math.max(magnitude, Math.abs(value));
  }
  return difference === 0 ? 0 : difference / magnitude;
}
