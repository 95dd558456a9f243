import { globalBatchSize, stepsPerEpoch } from '@skipring/data';
import type { JobSpec } from '@skipring/protocol';

/** Optimizer updates of a whole job over `numSamples` training samples. */
export function totalSteps(
  { training, lanes }: Pick<JobSpec, 'training' | 'lanes'>,
  numSamples: number,
): number {
  const { epochs = 0, steps } = training;
  return steps ?? epochs * stepsPerEpoch(numSamples, globalBatchSize(lanes));
}
