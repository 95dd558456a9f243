import { hasTrialEnded, type SweepSpec, type Trial } from '@skipring/protocol';
import { combinations, numRungs } from './plan.js';

/** What is to be done next for a sweep. */
export interface SweepTurn {
  /** All trials that are known by now, those of a new rung among them. */
  readonly trials: readonly Trial[];
  /** Those of them to submit now, in this order. */
  readonly toSubmit: readonly Trial[];
  readonly isDone: boolean;
}

/** The trials that a sweep begins with. */
export function firstTrials(spec: SweepSpec): Trial[] {
  return combinations(spec).map((parameters, index) => newTrial(index, 0, parameters));
}

/**
 * Looks at a sweep's trials and says what comes next: at most `parallel` are open at a time, and a rung
 * of successive halving begins when all of the one before have ended. It depends on the trials alone.
 */
export function advance(spec: SweepSpec, trials: readonly Trial[]): SweepTurn {
  const all = [...trials, ...nextRung(spec, trials)];
  const numOpen = all.filter((trial) => trial.jobId !== null && !hasTrialEnded(trial)).length;
  const waiting = all.filter(({ jobId, state }) => jobId === null && state === null);
  return {
    trials: all,
    toSubmit: waiting.slice(0, Math.max(0, spec.parallel - numOpen)),
    isDone: waiting.length === 0 && numOpen === 0,
  };
}

/** The best trial of the last rung that has a score; null while there is none. */
export function bestTrial(spec: SweepSpec, trials: readonly Trial[]): Trial | null {
  const scored = trials.filter(({ score }) => score !== null);
  const last = Math.max(0, ...scored.map(({ rung }) => rung));
  return (
    ranked(
      spec,
      scored.filter(({ rung }) => rung === last),
    )[0] ?? null
  );
}

function nextRung(spec: SweepSpec, trials: readonly Trial[]): Trial[] {
  const { strategy } = spec;
  if (strategy.kind !== 'halving') return [];
  const rung = Math.max(0, ...trials.map((trial) => trial.rung));
  const current = trials.filter((trial) => trial.rung === rung);
  if (rung + 1 >= numRungs(spec) || !current.every(hasTrialEnded)) return [];
  // A trial that failed has no score and can't be among the best.
  return ranked(spec, current)
    .slice(0, Math.floor(current.length / strategy.factor))
    .map(({ index, parameters }) => newTrial(index, rung + 1, parameters));
}

/** Those with a score, the best first; of equal ones the first by index. */
function ranked({ objective }: SweepSpec, trials: readonly Trial[]): Trial[] {
  const sign = objective === 'accuracy' ? -1 : 1;
  return trials
    .filter(({ score }) => score !== null)
    .sort((a, b) => sign * ((a.score ?? 0) - (b.score ?? 0)) || a.index - b.index);
}

function newTrial(index: number, rung: number, parameters: Trial['parameters']): Trial {
  return { index, rung, parameters, jobId: null, state: null, reason: '', score: null };
}
