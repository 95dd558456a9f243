export { registerFusedKernels } from './kernels/register.js';
export { fusedBatchNorm } from './kernels/batch-norm.js';
export { FusedBatchNormalization } from './layers/fused-batch-normalization.js';
export type { BatchStatistics, TrainingCall } from './layers/fused-batch-normalization.js';
export { SeededDropout } from './layers/seeded-dropout.js';
export { SubsampleShortcut } from './layers/subsample-shortcut.js';
export { softmaxCrossEntropy } from './loss.js';
export { ModelError } from './model-error.js';
export { buildModel, emptyModel } from './models/build-model.js';
export type { InputShape } from './models/build-model.js';
export { parameterCount, trainable } from './models/trainable-model.js';
export type {
  LayerStatistics,
  MovingStatistic,
  Parameter,
  TrainableModel,
  TrainingOutput,
} from './models/trainable-model.js';
export { learningRateAt } from './schedule.js';
