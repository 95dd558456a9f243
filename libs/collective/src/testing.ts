export { inProcessGroup } from './testing/in-process-transport.js';
export { spawn } from './testing/spawn.js';
export {
  transportConformance,
  type GroupOptions,
  type MakeGroup,
  type TransportGroup,
} from './testing/conformance.js';
