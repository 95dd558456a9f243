export * from './version.js';
export * from './model-spec.js';
export * from './job-spec.js';
export * from './data-set.js';
export * from './events.js';
export * from './api.js';
export * from './control.js';
export * from './ring-frame.js';
