import {
  faultPhases,
  faultSchema,
  PhiloxStream,
  ringPhases,
  type Fault,
  type FaultKind,
} from '@skipring/protocol';

/** What is done to a cluster: a fault over its API, or SIGKILL of its coordinator. */
export type ChaosKind = FaultKind | 'killCoordinator';

/** One disturbance; `step` of its fault counts from the step under way. */
export interface Disturbance {
  readonly kind: ChaosKind;
  readonly fault: Fault | null;
  /** Peace before it. */
  readonly pauseMs: number;
}

/** How often each comes, in parts of the sum. */
const WEIGHTS: Readonly<Record<ChaosKind, number>> = {
  kill: 8,
  freeze: 2,
  hang: 2,
  delaySegments: 2,
  dropSegments: 2,
  corruptFrame: 3,
  fillDisk: 1,
  killCoordinator: 1,
};
const MAX_PAUSE_MS = 2_000;
const MAX_STEPS_AHEAD = 4;
/** Beyond the five seconds after which a silent worker is dropped. */
const FREEZE_MS = 8_000;

export interface PlanOptions {
  readonly seed: number;
  readonly numWorkers: number;
  /** False where nobody would start the coordinator again. */
  readonly mayKillCoordinator: boolean;
  /** False: processes live on, so that it shows how they grow. */
  readonly mayKill: boolean;
}

/** Least time at the end in which no process is killed, and its least share. */
const LIVING_MS = 90_000;
const LIVING_SHARE = 1 / 3;

/** How long before its end a run kills no process any more: no more than half of it. */
export function livingMs(totalMs: number): number {
  return Math.min(totalMs / 2, Math.max(LIVING_MS, totalMs * LIVING_SHARE));
}

/** The disturbance of this number: a function of the seed, whatever came of those before. */
export function disturbance(options: PlanOptions, number: number): Disturbance {
  const random = new PhiloxStream(options.seed, 0, number);
  const pick = <T>(items: readonly T[]): T => items[random.nextBelow(items.length)] as T;
  const kinds = Object.entries(WEIGHTS) as [ChaosKind, number][];
  const kind = pick(
    kinds
      .filter(([name]) => name !== 'kill' || options.mayKill)
      .filter(
        ([name]) => name !== 'killCoordinator' || (options.mayKill && options.mayKillCoordinator),
      )
      .flatMap(([name, weight]) => Array.from({ length: weight }, () => name)),
  );
  const pauseMs = random.nextBelow(MAX_PAUSE_MS);
  if (kind === 'killCoordinator') return { kind, fault: null, pauseMs };
  const rank = random.nextBelow(options.numWorkers);
  const step = 1 + random.nextBelow(MAX_STEPS_AHEAD);
  const ringPhase = pick(ringPhases);
  const anyPhase = pick(faultPhases);
  const computePhase = pick(faultPhases.filter((phase) => !isRingPhase(phase)));
  const faults: Record<FaultKind, object> = {
    kill: { rank, step, phase: anyPhase },
    freeze: { rank, step, phase: anyPhase, durationMs: FREEZE_MS },
    hang: { rank, step, phase: computePhase, durationMs: 200, count: 5 },
    delaySegments: { rank, step, phase: ringPhase, durationMs: 100, count: 5 },
    dropSegments: { rank, step, phase: ringPhase },
    corruptFrame: { rank, step, phase: ringPhase },
    fillDisk: { step, count: 2 },
  };
  return { kind, fault: faultSchema.parse({ kind, ...faults[kind] }), pauseMs };
}

function isRingPhase(phase: string): boolean {
  return ringPhases.some((ringPhase) => ringPhase === phase);
}

/** The fault for a job that has committed so many steps and has so many members. */
export function aimed(fault: Fault, committed: number, worldSize: number): Fault {
  const step = fault.step + committed;
  return fault.kind === 'fillDisk'
    ? { ...fault, step }
    : { ...fault, step, rank: fault.rank % worldSize };
}

/** Whether a fault ends its generation, so that the next one is worth waiting for. */
export function isBreaking(kind: ChaosKind): boolean {
  return ['kill', 'freeze', 'dropSegments', 'corruptFrame'].includes(kind);
}
