import type { Board } from '../board.js';
import { api } from './api.js';
import { fleet } from './fleet.js';
import { gpu } from './gpu.js';
import { jobBoard } from './job.js';
import { redis } from './redis.js';
import { reliability } from './reliability.js';
import { ring } from './ring.js';
import { steps } from './steps.js';

/** All dashboards, in the order in which an operator reads them. */
export const boards: readonly Board[] = [
  fleet,
  jobBoard,
  steps,
  ring,
  gpu,
  reliability,
  redis,
  api,
];
