import type { StepParts } from '@skipring/protocol';

/** Values of the label `part`. */
export const stepPartLabels = {
  dataWaitMs: 'data_wait',
  computeMs: 'compute',
  ringMs: 'ring',
  commitMs: 'commit',
  applyMs: 'apply',
} as const satisfies Record<keyof StepParts, string>;

/** Each part's label and duration in seconds. */
export function partSeconds(parts: StepParts): { part: string; seconds: number }[] {
  return Object.entries(stepPartLabels).map(([key, part]) => ({
    part,
    seconds: parts[key as keyof StepParts] / 1_000,
  }));
}

/** Wall time of the whole step on one rank, in seconds: its parts follow each other. */
export function wholeSeconds(parts: StepParts): number {
  return partSeconds(parts).reduce((sum, { seconds }) => sum + seconds, 0);
}
