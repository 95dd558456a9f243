import type { LedgerEpoch, LedgerRange } from '@skipring/protocol';

/** Ranges listed of one epoch; a generation has at least one. */
export const MAX_RANGES = 128;

/** Adds steps behind those that are there; the same generation's become one range. */
export function append(epoch: LedgerEpoch, range: LedgerRange): void {
  const last = epoch.ranges.at(-1);
  if (last !== undefined && continues(last, range)) {
    epoch.ranges[epoch.ranges.length - 1] = join(last, range);
  } else epoch.ranges.push(range);
  shorten(epoch);
}

/** Marks steps behind `step` as superseded. Returns how many. */
export function supersedeAfter(epoch: LedgerEpoch, step: number, cursorAfter: number): number {
  let count = 0;
  epoch.ranges = epoch.ranges.flatMap((range) => {
    if (range.isSuperseded || range.toStep <= step) return [range];
    count += range.toStep - Math.max(step, range.fromStep - 1);
    if (range.fromStep > step) return [{ ...range, isSuperseded: true }];
    return [
      { ...range, toStep: step, toCursor: cursorAfter },
      { ...range, fromStep: step + 1, fromCursor: cursorAfter, isSuperseded: true },
    ];
  });
  shorten(epoch);
  return count;
}

function continues(last: LedgerRange, next: LedgerRange): boolean {
  return (
    last.attempt === next.attempt &&
    last.generation === next.generation &&
    last.evidence === next.evidence &&
    isAdjacent(last, next)
  );
}

function isAdjacent(last: LedgerRange, next: LedgerRange): boolean {
  return (
    !last.isSuperseded &&
    !next.isSuperseded &&
    next.fromStep === last.toStep + 1 &&
    next.fromCursor === last.toCursor
  );
}

function join({ fromStep, fromCursor }: LedgerRange, next: LedgerRange): LedgerRange {
  return { ...next, fromStep, fromCursor };
}

/**
 * Superseded ranges go first, then the oldest neighbours become one under the name of the later
 * generation. Ranges between which samples are missing stay apart: they are the evidence.
 */
function shorten(epoch: LedgerEpoch): void {
  const { ranges } = epoch;
  while (ranges.length > MAX_RANGES) {
    const superseded = ranges.findIndex(({ isSuperseded }) => isSuperseded);
    if (superseded >= 0) {
      ranges.splice(superseded, 1);
      epoch.numDropped += 1;
      continue;
    }
    const index = ranges.findIndex((range, at) => {
      const next = ranges[at + 1];
      return next !== undefined && isAdjacent(range, next);
    });
    const [first, second] = ranges.slice(Math.max(0, index), Math.max(0, index) + 2);
    if (index < 0 || first === undefined || second === undefined) {
      // Nothing belongs together: the audit has failed long ago, and more proves no more.
      ranges.pop();
      return;
    }
    ranges.splice(index, 2, join(first, second));
  }
}
