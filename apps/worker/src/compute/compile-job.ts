import { evaluationBatchSizes, trainBatchSizes } from '@skipring/data';
import { compileEngine } from '@skipring/graph';
import { buildModel, registerFusedKernels } from '@skipring/nn';
import type { DataSetManifest, JobSpec } from '@skipring/protocol';
import type { Engine } from '@skipring/trainer';
import { EVALUATION_BATCH_SIZE } from './evaluation-size.js';

/** Builds the job's model from its seed and compiles it for every batch shape that will occur. */
export function compileJob(spec: JobSpec, manifest: DataSetManifest): Engine {
  const { height, width, channels, splits } = manifest;
  const numClasses = manifest.classes.length;
  const inputShape = { height, width, channels };
  registerFusedKernels();
  const model = buildModel(spec.model, inputShape, numClasses, spec.seed);
  try {
    return compileEngine({
      model,
      spec: {
        ...spec.training,
        reduction: spec.reduction === 'exact' ? 'exact' : 'float32',
        precision: spec.precision,
      },
      trainBatchSizes: trainBatchSizes(splits.train.samples, spec.lanes),
      evaluationBatchSizes: evaluationBatchSizes(splits.test.samples, EVALUATION_BATCH_SIZE),
      laneSize: spec.lanes.size,
      numClasses,
      inputShape,
      hasProbe: spec.statistics !== undefined,
    });
  } finally {
    // The engine's variables are its own; those of the model would stay for the life of the process.
    model.dispose();
  }
}
