export * from './testing/arithmetic-engine.js';
export * from './testing/in-process-collective.js';
export * from './testing/memory-batches.js';
export * from './testing/simulated-job.js';
