export { AwakeClock } from './awake-clock.js';
export { Cluster } from './cluster.js';
export { desiredWorkers, type WorkerDemand } from './desired-workers.js';
export { FaultBook } from './faults/fault-book.js';
export { Ledger, type LedgerChange, type LedgerFinding, type LedgerPlan } from './ledger/ledger.js';
export { ledgerView } from './ledger/view.js';
export { assignLanes } from './lanes.js';
export { ringOrder, type LinkSpeed, type RingMember } from './ring-order.js';
export type { ClusterEffect, ClusterInput, Halt, Hello, QueuedJob } from './messages.js';
export { DEFAULT_CLUSTER_OPTIONS, type ClusterOptions } from './options.js';
export {
  rendezvous,
  type RendezvousInput,
  type RendezvousResult,
  type Seat,
} from './rendezvous.js';
export { startPosition, type ReadyState, type StartPosition } from './start-position.js';
export { advance, bestTrial, firstTrials, type SweepTurn } from './sweep/advance.js';
export { trialSpec } from './sweep/plan.js';
export type { JobSnapshot, WorkerSnapshot } from './views.js';
