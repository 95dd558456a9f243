import type { Snapshot } from '@skipring/trainer';

/** A small snapshot of a step, whose values are a function of the step. */
export function sampleSnapshot(step: number, bestStep = 1): Snapshot {
  const values = (length: number, of: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => Math.sin(step * 100 + of * 10 + i));
  return {
    position: { step, epoch: Math.floor(step / 10), cursor: (step % 10) * 16 },
    tensors: new Map([
      ['moving_mean', { shape: [3], values: values(3, 1) }],
      ['weights', { shape: [3, 2], values: values(6, 2) }],
      ['optimizer/weights', { shape: [3, 2], values: values(6, 3) }],
    ]),
    exponents: Int32Array.of(24, -3),
    scores: { last: { step, accuracy: 0.25 }, best: { step: bestStep, accuracy: 1 / 3 } },
  };
}
