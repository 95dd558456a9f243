export type { MetricDefinition } from './definition.js';
export {
  allMetrics,
  clusterMetrics,
  jobMetrics,
  peerMetrics,
  workerProcessMetrics,
} from './definitions.js';
export {
  coordinatorMetrics,
  CoordinatorMetrics,
  type CheckpointUploadResult,
  type ClusterCounts,
  type Counts,
} from './coordinator-metrics.js';
export { workerMetrics, WorkerMetrics, type RankStep } from './worker-metrics.js';
export { stepPartLabels } from './step-parts.js';
