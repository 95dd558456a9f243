import { inProcessGroup, transportConformance } from './testing.js';

transportConformance('in-process', (worldSize, options) =>
  Promise.resolve(inProcessGroup(worldSize, options)),
);
