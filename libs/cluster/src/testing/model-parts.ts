import type { CoordinatorMessage, Fence } from '@skipring/protocol';
import { Cluster } from '../cluster.js';
import type { Hello, Prepare } from '../messages.js';
import { testStep } from './fixture.js';
import type { Report } from './simulation/simulated-worker.js';

export interface ModelSize {
  readonly numWorkers: number;
  readonly numSteps: number;
  /** Least number of workers of the job. */
  readonly min: number;
  /** How often a worker dies; it comes back without its state. */
  readonly numCrashes: number;
  /** How often a connection to the coordinator breaks, seen by either side first. */
  readonly numCuts: number;
  /** How often the coordinator dies. */
  readonly numRestarts: number;
  /** How often a worker is drained; its process is gone then. */
  readonly numDrains: number;
  /** How often a user pauses the job; it is resumed in a new attempt. */
  readonly numPauses: number;
  /** Members that are behind keep their own state: to see that the check finds it. */
  readonly isUnsynchronised?: boolean;
}

/** Faults that may still happen. */
export interface Budget {
  crash: number;
  cut: number;
  restart: number;
  drain: number;
  pause: number;
}

export function budgetOf(size: ModelSize): Budget {
  return {
    crash: size.numCrashes,
    cut: size.numCuts,
    restart: size.numRestarts,
    drain: size.numDrains,
    pause: size.numPauses,
  };
}

export interface Membership {
  readonly fence: Fence;
  readonly ring: string;
  readonly members: readonly string[];
  readonly lanes: readonly number[];
  readonly rank: number;
  start: { readonly step: number; readonly source: string; readonly isBehind: boolean } | null;
  isSynchronised: boolean;
  isAborted: boolean;
  isFinished: boolean;
  /** The step of the state that it has last copied for a checkpoint. */
  copied: number;
}

export interface ModelWorker {
  isAlive: boolean;
  isGone: boolean;
  /** Whether each side takes the connection for open. */
  link: { worker: boolean; coordinator: boolean };
  inbox: CoordinatorMessage[];
  outbox: Report[];
  /** Committed steps in the state that it holds; null: none is held. */
  step: number | null;
  /** Committed steps in a copy of its state that is being stored while it trains on. */
  uploading: number | null;
  membership: Membership | null;
}

export const JOB = 'job';
export const CHECKPOINT_AT = 1;

/** Throws unless the condition holds. */
export const check = (condition: boolean, message: string): void => {
  if (!condition) throw new Error(message);
};
/** Names the ring of a generation. */
export const ringOf = ({ attempt, generation }: Fence): string => `${attempt}/${generation}`;

/** A worker that has just started. */
export function newWorker(): ModelWorker {
  return {
    isAlive: true,
    isGone: false,
    link: { worker: false, coordinator: false },
    inbox: [],
    outbox: [],
    step: null,
    uploading: null,
    membership: null,
  };
}

export function copyWorker(worker: ModelWorker): ModelWorker {
  return {
    ...worker,
    link: { ...worker.link },
    inbox: [...worker.inbox],
    outbox: [...worker.outbox],
    membership: worker.membership === null ? null : { ...worker.membership },
  };
}

export function membershipOf({ fence, members, rank }: Prepare): Membership {
  return {
    fence,
    ring: ringOf(fence),
    members: members.map(({ workerId }) => workerId),
    lanes: members[rank]?.lanes ?? [],
    rank,
    start: null,
    isSynchronised: false,
    isAborted: false,
    isFinished: false,
    copied: 0,
  };
}

/** What can happen to a worker besides its ring: of its messages, its connection and its process. */
export function ownMoves(id: string, worker: ModelWorker): string[] {
  const { link } = worker;
  const moves: string[] = [];
  if (worker.inbox.length > 0 && link.worker) moves.push(`receive ${id}`);
  if (worker.outbox.length > 0 && link.coordinator) moves.push(`report ${id}`);
  if (link.coordinator && !link.worker) moves.push(`close ${id}`);
  if (link.worker && !link.coordinator) moves.push(`notice ${id}`);
  if (!link.worker && worker.isAlive) moves.push(`connect ${id}`);
  if (!worker.isAlive) moves.push(`reboot ${id}`);
  if (worker.isAlive && worker.uploading !== null) moves.push(`upload ${id}`);
  return moves;
}

/** What a rank reports of a step; each step takes one sample. */
export function stepReport(fence: Fence, rank: number, step: number): Report {
  const report = testStep(fence, rank, step, null);
  if (report.metrics === null) return report;
  return { ...report, metrics: { ...report.metrics, cursor: step } };
}

/** What a worker tells of its state when it connects. */
export const heldOf = ({ step }: ModelWorker): Hello['held'] =>
  step === null ? null : { jobId: JOB, step };

/** A coordinator's state machine for which no time passes. */
export const newCluster = (): Cluster =>
  new Cluster(() => 'ring-token-of-the-model', { abortGraceMs: 0, growthIntervalMs: 0 });
