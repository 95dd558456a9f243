import { counter, gauge, histogram } from './definition.js';

/** From a millisecond to a minute. */
const DURATION_BUCKETS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
];

/** From a second to a day. */
const WAIT_BUCKETS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400];

/** Of the coordinator, one time series for each job that is not final. */
export const jobMetrics = {
  state: gauge(
    'skipring_job_state',
    '1 for the state that an attempt is in (waiting, running, pausing, cancelling), 0 for the others.',
    ['job_id', 'state'],
  ),
  totalSteps: gauge('skipring_job_planned_steps', 'Optimizer steps that a job is to make.', [
    'job_id',
  ]),
  step: gauge('skipring_job_step', 'Committed optimizer steps of a job.', ['job_id']),
  epoch: gauge('skipring_job_epoch', 'Epoch that a job is in, counted from 0.', ['job_id']),
  loss: gauge('skipring_job_loss', 'Mean loss of the last step, or of the last evaluation.', [
    'job_id',
    'split',
  ]),
  accuracy: gauge(
    'skipring_job_accuracy_ratio',
    'Share of samples classified correctly in the last step, or in the last evaluation.',
    ['job_id', 'split'],
  ),
  learningRate: gauge('skipring_job_learning_rate', 'Learning rate of the last step.', ['job_id']),
  imagesPerSecond: gauge(
    'skipring_job_images_per_second',
    'Samples trained per second over all workers of a job.',
    ['job_id'],
  ),
  attempt: gauge('skipring_job_attempt', 'Number of the attempt that a job is in.', ['job_id']),
  generation: gauge('skipring_job_generation', 'Number of the membership that a job is in.', [
    'job_id',
  ]),
  worldSize: gauge('skipring_job_world_size', 'Workers in the ring of a job.', ['job_id']),
  stepDuration: histogram(
    'skipring_job_step_duration_seconds',
    'Wall time of a committed step as rank 0 saw it.',
    DURATION_BUCKETS,
    ['job_id'],
  ),
  partDuration: histogram(
    'skipring_job_step_part_duration_seconds',
    'Wall time of one part of a step, of every rank.',
    DURATION_BUCKETS,
    ['job_id', 'part'],
  ),
  ringBytes: counter(
    'skipring_job_ring_sent_bytes_total',
    'Bytes that all ranks sent on the ring.',
    ['job_id'],
  ),
  skippedSteps: counter(
    'skipring_job_skipped_steps_total',
    'Steps that changed nothing because a gradient was not finite.',
    ['job_id'],
  ),
  hashChecks: counter(
    'skipring_job_parameter_hash_checks_total',
    'Comparisons of parameter hashes over all ranks, by result: agreed or diverged.',
    ['job_id', 'result'],
  ),
  hashAgreement: gauge(
    'skipring_job_parameter_hash_agreement',
    '1 while the last comparison of parameter hashes found the same on all ranks, else 0.',
    ['job_id'],
  ),
  checkpointStep: gauge(
    'skipring_job_checkpoint_step',
    "Committed steps in a job's newest stored checkpoint; 0 before the first.",
    ['job_id'],
  ),
  checkpointInterval: gauge(
    'skipring_job_checkpoint_interval_steps',
    'Steps after which a job is to store a checkpoint.',
    ['job_id'],
  ),
  lostMembers: counter(
    'skipring_job_lost_members_total',
    'Members that left a generation without being asked to.',
    ['job_id'],
  ),
  stragglers: gauge('skipring_job_stragglers', 'Members that are slow and hold up the others.', [
    'job_id',
  ]),
  stragglersSeen: counter(
    'skipring_job_stragglers_seen_total',
    'How often a member became slow, by the part of the step: data, compute or apply.',
    ['job_id', 'part'],
  ),
} as const;

/** Of the coordinator, one time series for each connected worker. */
export const peerMetrics = {
  heartbeats: counter('skipring_worker_heartbeats_total', 'Heartbeats received from a worker.', [
    'worker_id',
  ]),
  computeSilence: gauge(
    'skipring_worker_compute_silence_seconds',
    "Time since a worker's compute thread last answered, as its last heartbeat told.",
    ['worker_id'],
  ),
} as const;

/** Of the coordinator as a whole. */
export const clusterMetrics = {
  jobs: gauge('skipring_jobs', 'Jobs by state.', ['state']),
  workers: gauge('skipring_workers', 'Connected workers by state.', ['state']),
  queueDepth: gauge('skipring_queue_depth', 'Entries of a queue by state.', ['queue', 'state']),
  queueWait: histogram(
    'skipring_job_queue_wait_seconds',
    'Time from when a job may start until its first attempt has workers.',
    WAIT_BUCKETS,
  ),
  desiredWorkers: gauge(
    'skipring_desired_workers',
    'Workers that an autoscaler should run, by their number of threads.',
    ['threads'],
  ),
  redisUp: gauge(
    'skipring_redis_up',
    '1 when Redis answered while this page was made, else 0: then counts of jobs and queues are old.',
  ),
  checkpointUploads: counter(
    'skipring_checkpoint_uploads_total',
    'Checkpoints sent by workers, by result: stored, refused (stale or not valid) or failed.',
    ['result'],
  ),
  damagedCheckpoints: counter(
    'skipring_checkpoints_damaged_total',
    'Stored checkpoints that were found damaged and passed over.',
  ),
  dataDirectoryFree: gauge(
    'skipring_data_directory_free_bytes',
    "Room left on the file system of the coordinator's data directory.",
  ),
  dataDirectorySize: gauge(
    'skipring_data_directory_size_bytes',
    "Size of the file system of the coordinator's data directory.",
  ),
  events: counter('skipring_job_events_total', 'Events of jobs by type.', ['type']),
  httpDuration: histogram(
    'skipring_http_request_duration_seconds',
    'Time from a request to the end of its answer, by route pattern.',
    DURATION_BUCKETS,
    ['method', 'route', 'status'],
  ),
  eventStreams: gauge('skipring_event_streams', 'Open event streams of followers.'),
} as const;

/** Of a worker process, which is in one job at a time: no labels that grow. */
export const workerProcessMetrics = {
  step: gauge('skipring_step', 'Last committed step of this worker.'),
  epoch: gauge('skipring_epoch', 'Epoch of the last committed step, counted from 0.'),
  generation: gauge('skipring_generation', 'Number of the membership that this worker is in.'),
  rank: gauge('skipring_rank', 'Rank of this worker in its generation; -1 in none.'),
  worldSize: gauge('skipring_world_size', 'Workers in the ring of this worker; 0 in none.'),
  loss: gauge('skipring_loss', 'Mean loss of the last step over all lanes; told by rank 0.'),
  accuracy: gauge(
    'skipring_accuracy_ratio',
    'Share of samples of the last step classified correctly; told by rank 0.',
  ),
  learningRate: gauge('skipring_learning_rate', 'Learning rate of the last step.'),
  imagesPerSecond: gauge(
    'skipring_images_per_second',
    'Samples that this worker computed per second of its last step.',
  ),
  samples: counter('skipring_samples_total', 'Samples that this worker computed and committed.'),
  stepDuration: histogram(
    'skipring_step_duration_seconds',
    'Wall time of a committed step on this worker.',
    DURATION_BUCKETS,
  ),
  partDuration: histogram(
    'skipring_step_part_duration_seconds',
    'Wall time of one part of a step on this worker.',
    DURATION_BUCKETS,
    ['part'],
  ),
  ringBytes: counter('skipring_ring_sent_bytes_total', 'Bytes that this worker sent on the ring.'),
  ringHidden: gauge(
    'skipring_ring_hidden_ratio',
    'Share of the time of the ring in the last step that this worker spent computing, not waiting.',
  ),
  aborts: counter(
    'skipring_generation_aborts_total',
    'Generations that this worker left on error.',
  ),
  heartbeats: counter('skipring_heartbeats_sent_total', 'Heartbeats sent to the coordinator.'),
  computeSilence: gauge(
    'skipring_compute_silence_seconds',
    'Time since the compute thread last answered, at the last heartbeat.',
  ),
  connected: gauge('skipring_coordinator_connected', '1 while connected to the coordinator.'),
  checkpointHeld: histogram(
    'skipring_checkpoint_held_seconds',
    'Time that a checkpoint held training: the copy out of the session and the comparison of the replicas.',
    DURATION_BUCKETS,
  ),
  checkpoints: counter(
    'skipring_checkpoints_total',
    'Checkpoints that were due on this worker, by result: stored, failed, or skipped for a newer one.',
    ['result'],
  ),
  stateHashes: counter('skipring_parameter_hashes_total', 'Parameter hashes computed and told.'),
} as const;

/** Of a worker's GPU; a worker on CPUs has none of these series. `device` is the GPU's model. */
export const deviceMetrics = {
  memory: gauge('skipring_device_memory_bytes', 'Memory of the device in use, by anybody.', [
    'device',
  ]),
  memoryLimit: gauge('skipring_device_memory_limit_bytes', 'Memory that the device has.', [
    'device',
  ]),
  utilization: gauge(
    'skipring_device_utilization_ratio',
    'Share of the last sampling period in which the device ran a kernel.',
    ['device'],
  ),
} as const;

/** Every metric of Skipring, for documentation and tests. */
export const allMetrics = [
  ...Object.values(jobMetrics),
  ...Object.values(peerMetrics),
  ...Object.values(clusterMetrics),
  ...Object.values(workerProcessMetrics),
  ...Object.values(deviceMetrics),
];
