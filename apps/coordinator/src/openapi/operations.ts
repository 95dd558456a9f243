import { accessOperations } from './access-operations.js';
import { clusterOperations } from './cluster-operations.js';
import { jobOperations } from './job-operations.js';
import type { Operation } from './operation.js';

/** Every route for users. Those below `/internal` are between coordinator and workers. */
export const operations: readonly Operation[] = [
  ...jobOperations,
  ...clusterOperations,
  ...accessOperations,
];
