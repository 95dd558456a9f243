export { compileEngine, type EngineOptions } from './engine/compile-engine.js';
export type { OptimizerSpec } from './engine/optimizers.js';
export { Predictor, type Picture } from './export/predictor.js';
export type { TrainedModel } from './export/trained-model.js';
export { loadTensorFlow, type LoadedTensorFlow, type TensorFlowOptions } from './tensorflow.js';
