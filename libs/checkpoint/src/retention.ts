import { byNewest } from './checkpoint-names.js';
import type { CheckpointName } from './checkpoint-names.js';

/** A stored checkpoint, as far as retention cares. */
export interface Retained extends CheckpointName {
  readonly best: boolean;
}

/**
 * Which checkpoints to remove: all but those of the newest `keep` steps and the newest best one. Of
 * one step saved twice, only the later save is kept.
 */
export function toRemove<T extends Retained>(checkpoints: readonly T[], keep: number): T[] {
  const newest = [...checkpoints].sort(byNewest);
  const latest = newest.filter(({ step }, i) => newest[i - 1]?.step !== step);
  const best = latest.find((checkpoint) => checkpoint.best);
  const kept = new Set([...latest.slice(0, keep), ...(best ? [best] : [])]);
  return newest.filter((checkpoint) => !kept.has(checkpoint));
}
