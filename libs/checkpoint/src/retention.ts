import type { Position } from '@skipring/protocol';
import { byNewest } from './checkpoint-names.js';
import type { CheckpointName } from './checkpoint-names.js';

/** Which checkpoints of a job are kept. */
export interface RetentionPolicy {
  /** Newest steps. */
  readonly keep: number;
  /** The newest one whose evaluation was the best so far. */
  readonly keepBest: boolean;
  /** The first after the end of each so many epochs; 0: none for that reason. */
  readonly keepEveryEpochs: number;
}

/** A stored checkpoint, as far as retention cares. */
export interface Retained extends CheckpointName {
  readonly best: boolean;
  /** Null when its manifest can't be read. */
  readonly position: Position | null;
}

/**
 * Which checkpoints to remove: all that the policy keeps for no reason. Of one step saved twice,
 * only the later save is kept.
 */
export function toRemove<T extends Retained>(
  checkpoints: readonly T[],
  policy: RetentionPolicy,
): T[] {
  const newest = [...checkpoints].sort(byNewest);
  const latest = newest.filter(({ step }, i) => newest[i - 1]?.step !== step);
  const best = policy.keepBest ? latest.find((checkpoint) => checkpoint.best) : undefined;
  const kept = new Set([
    ...latest.slice(0, policy.keep),
    ...(best ? [best] : []),
    ...firstOfEpochs(latest, policy.keepEveryEpochs),
  ]);
  return newest.filter((checkpoint) => !kept.has(checkpoint));
}

/** Of each run of so many epochs the first checkpoint, but for the first run. @param latest newest first */
function firstOfEpochs<T extends Retained>(latest: readonly T[], numEpochs: number): T[] {
  if (numEpochs === 0) return [];
  const byRun = new Map<number, T>();
  for (const checkpoint of latest) {
    if (checkpoint.position === null) continue;
    byRun.set(Math.floor(checkpoint.position.epoch / numEpochs), checkpoint);
  }
  byRun.delete(0);
  return [...byRun.values()];
}
