export { closeConnection, connectForCommands, type RedisStoreOptions } from './connection.js';
export { StoreError, type StoreErrorCode } from './errors.js';
export type { Idempotency } from './idempotency.js';
export { jobRecordSchema, type JobRecord, type NewJobEvent } from './job-record.js';
export { LeaderLease, LEASE_TTL_MS, type LeaseOptions, type OtherLeader } from './leader-lease.js';
export type { ChangeResult, JobChange } from './job-change.js';
export type { JobHistories, LayerEntry } from './job-histories.js';
export type { JobIndex, JobQuery } from './job-index.js';
export { RunStore } from './run-store.js';
export type { LedgerUpdate } from './ledger-fields.js';
export { DEFAULT_RETENTION, type Retention } from './retention.js';
export { DataSetStore, type DataSetRecord } from './data-set-store.js';
export {
  EntryPostponed,
  EntryRejected,
  WorkQueue,
  type EntryHandler,
  type EntryOptions,
  type QueueCounts,
  type WorkQueueOptions,
} from './work-queue.js';
export { StoredBytes } from './stored-bytes.js';
export { AuditStore, type NewAuditEntry } from './audit-store.js';
export { TokenStore, type TokenRecord } from './token-store.js';
export { SweepStore, type SweepRecord } from './sweep-store.js';
export { WebhookStore, type WebhookFailures, type WebhookRecord } from './webhook-store.js';
