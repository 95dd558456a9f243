import { globalBatchSize, stepsPerEpoch } from '@skipring/data';
import type { DataSetManifest, JobSpec } from '@skipring/protocol';

/** How long a job is: a short last step of an epoch is a step too. */
export function totalsOf(
  { training, lanes }: JobSpec,
  { splits }: DataSetManifest,
): { totalSteps: number; totalEpochs: number } {
  const perEpoch = stepsPerEpoch(splits.train.samples, globalBatchSize(lanes));
  const totalSteps = training.steps ?? (training.epochs ?? 1) * perEpoch;
  return { totalSteps, totalEpochs: Math.ceil(totalSteps / perEpoch) };
}
