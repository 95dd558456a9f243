import { setImmediate } from 'node:timers/promises';
import type { Clock } from './ports.js';

export const systemClock: Clock = {
  now: () => performance.now(),
  turn: () => setImmediate(),
};
