import { afterAll, beforeAll, beforeEach } from 'vitest';
import { DisturbedJob, type DisturbedJobOptions } from './disturbed-job.js';
import { ProcessCluster, type ProcessClusterOptions } from './process-cluster.js';

export interface DisturbedClusterOptions extends ProcessClusterOptions {
  readonly numWorkers?: number;
  readonly job?: DisturbedJobOptions;
}

/** What the tests of a block work with; there once `beforeAll` has run. */
export interface Disturbed {
  readonly cluster: ProcessCluster;
  readonly job: DisturbedJob;
}

/**
 * A cluster for the tests of a `describe` block, with a job that it has trained once undisturbed.
 * Each test begins with so many idle workers.
 */
export function disturbedCluster(options: DisturbedClusterOptions = {}): Disturbed {
  const { numWorkers = 2 } = options;
  let cluster: ProcessCluster;
  let job: DisturbedJob;
  beforeAll(async () => {
    cluster = await ProcessCluster.start(numWorkers, options);
    job = await DisturbedJob.prepare(cluster, options.job);
  });
  beforeEach(() => cluster.haveWorkers(numWorkers));
  afterAll(() => cluster.stop());
  return {
    get cluster() {
      return cluster;
    },
    get job() {
      return job;
    },
  };
}
