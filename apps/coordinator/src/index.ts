export { createCoordinator, type Coordinator } from './create-coordinator.js';
export { OptionsError, readOptions, type CoordinatorOptions } from './options.js';
