/** Names of what controllers are given; `createCoordinator` makes the parts. */
export const JOBS = Symbol('JobsService');
export const EXPORTS = Symbol('ExportsService');
export const INITIAL_WEIGHTS = Symbol('InitialWeightsStore');
export const JOB_REMOVAL = Symbol('JobRemoval');
export const MODELS = Symbol('Models');
export const RUN_STORE = Symbol('RunStore');
export const EVENT_STREAMS = Symbol('EventStreams');
/** Fires when the coordinator begins to stop. */
export const CLOSING = Symbol('closing');
export const DATA_SETS = Symbol('DataSetsService');
export const CHECKPOINT_UPLOADS = Symbol('CheckpointUploads');
export const CHECKPOINTS = Symbol('Checkpoints');
export const METRICS = Symbol('MetricsSource');
export const TOKENS = Symbol('TokensService');
export const SWEEPS = Symbol('SweepsService');
export const WEBHOOKS = Symbol('WebhooksService');
export const AUDIT = Symbol('AuditStore');
/** The fault desk, or none: `{ desk }`. */
export const FAULTS = Symbol('FaultDesk');
export const SCHEDULER = Symbol('Scheduler');
export const SAMPLE_INDEX = Symbol('SampleIndex');
