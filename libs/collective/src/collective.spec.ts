import { inProcessGroup } from './in-process-transport.js';
import { transportConformance } from './testing.js';

transportConformance('in-process', (worldSize, options) =>
  Promise.resolve(inProcessGroup(worldSize, options)),
);
