export { compileEngine, type EngineOptions } from './engine/compile-engine.js';
export type { OptimizerSpec } from './engine/apply-graph.js';
export { loadTensorFlow, type LoadedTensorFlow, type TensorFlowOptions } from './tensorflow.js';
