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
export const chaosKinds = Object.keys(WEIGHTS) as readonly ChaosKind[];
/** What ends a process. */
export const killingKinds: readonly ChaosKind[] = ['kill', 'killCoordinator'];
const MAX_PAUSE_MS = 2_000;
const MAX_STEPS_AHEAD = 4;
/** Beyond the five seconds after which a silent worker is dropped. */
const FREEZE_MS = 8_000;

export interface PlanOptions {
  readonly seed: number;
  readonly numWorkers: number;
  /** Kinds that are left out: not all of those that end no process. */
  readonly without: readonly ChaosKind[];
}

/**
 * How long before its end a run kills no process any more, so that it shows how those grow that live on:
 * half of it.
 */
export function livingMs(totalMs: number): number {
  return totalMs / 2;
}

/** The disturbance of this number: a function of the seed, whatever came of those before. */
export function disturbance(options: PlanOptions, number: number): Disturbance {
  const random = new PhiloxStream(options.seed, 0, number);
  const pick = <T>(items: readonly T[]): T => items[random.nextBelow(items.length)] as T;
  const kind = pick(
    chaosKinds
      .filter((name) => !options.without.includes(name))
      .flatMap((name) => Array.from({ length: WEIGHTS[name] }, () => name)),
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
