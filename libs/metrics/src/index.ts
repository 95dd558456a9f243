export type { MetricDefinition } from './definition.js';
export {
  allMetrics,
  clusterMetrics,
  deviceMetrics,
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
export {
  workerMetrics,
  WorkerMetrics,
  type DeviceReading,
  type RankStep,
} from './worker-metrics.js';
export { stepPartLabels } from './step-parts.js';
