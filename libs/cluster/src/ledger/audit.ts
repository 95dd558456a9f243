import type { LedgerRange } from '@skipring/protocol';

/** More of them tell nothing new. */
const MAX_PROBLEMS = 8;

/**
 * Whether the ranges that count cover samples 0 to `numSamples` - 1 of an epoch, each exactly once.
 * @returns what is wrong, in words; empty when nothing is
 */
export function audit(ranges: readonly LedgerRange[], numSamples: number): string[] {
  const counted = ranges
    .filter(({ isSuperseded }) => !isSuperseded)
    .sort((a, b) => a.fromCursor - b.fromCursor || a.toCursor - b.toCursor);
  const problems: string[] = [];
  let covered = 0;
  for (const { fromCursor, toCursor, fromStep, toStep } of counted) {
    const steps = fromStep === toStep ? `step ${fromStep}` : `steps ${fromStep} to ${toStep}`;
    if (fromCursor > covered) problems.push(skipped(covered, fromCursor));
    if (fromCursor < covered) {
      const end = Math.min(covered, toCursor);
      problems.push(`samples ${fromCursor} to ${end - 1} were used before and again in ${steps}`);
    }
    if (toCursor > numSamples) {
      problems.push(`${steps} ended at sample ${toCursor}, expected at most ${numSamples}`);
    }
    covered = Math.max(covered, toCursor);
  }
  if (covered < numSamples) problems.push(skipped(covered, numSamples));
  return problems.slice(0, MAX_PROBLEMS);
}

/** The number of samples from the epoch's first to the last that went into the model. */
export function reach(ranges: readonly LedgerRange[]): number {
  return Math.max(
    0,
    ...ranges.flatMap(({ isSuperseded, toCursor }) => (isSuperseded ? [] : [toCursor])),
  );
}

/** Samples that went into the model; one that went in twice counts twice. */
export function countSamples(ranges: readonly LedgerRange[]): number {
  return ranges
    .filter(({ isSuperseded }) => !isSuperseded)
    .reduce((sum, { fromCursor, toCursor }) => sum + toCursor - fromCursor, 0);
}

function skipped(from: number, end: number): string {
  return `samples ${from} to ${end - 1} are in no committed step`;
}
