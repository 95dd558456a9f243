export { spawn } from './testing/spawn.js';
export { transportConformance } from './testing/conformance.js';
