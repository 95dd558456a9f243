export { compileEngine, type EngineOptions } from './engine/compile-engine.js';
export type { OptimizerSpec } from './engine/optimizers.js';
export { loadTensorFlow, type LoadedTensorFlow, type TensorFlowOptions } from './tensorflow.js';
