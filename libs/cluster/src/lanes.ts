/**
 * Cuts lanes 0..numLanes-1 into contiguous runs, one for each rank, so that the rank that needs longest
 * for its lanes is done as early as can be. Ranks of one pace get runs whose lengths differ by at most
 * one, the longer ones first. Each lane has exactly one owner, each rank at least one lane.
 *
 * @param laneMs time that each rank needs for a lane, by rank; only their proportions matter
 * @throws RangeError unless there are 1 to numLanes ranks, all with a positive time
 */
export function assignLanes(numLanes: number, laneMs: readonly number[]): number[][] {
  const numRanks = laneMs.length;
  if (numRanks < 1 || numRanks > numLanes) {
    throw new RangeError(`laneMs has ${numRanks} ranks, expected 1 to numLanes = ${numLanes}`);
  }
  const invalid = laneMs.find((ms) => !(ms > 0 && ms < Infinity));
  if (invalid !== undefined) throw new RangeError(`laneMs has ${invalid}, expected more than 0`);
  // Each lane goes where it would be done first: for equal lanes that is the best there is.
  const counts = laneMs.map(() => 1);
  for (let numGiven = numRanks; numGiven < numLanes; numGiven++) {
    let first = 0;
    for (let rank = 1; rank < numRanks; rank++) {
      if (doneMs(counts, laneMs, rank) < doneMs(counts, laneMs, first)) first = rank;
    }
    counts[first] = (counts[first] ?? 0) + 1;
  }
  let next = 0;
  return counts.map((count) => Array.from({ length: count }, () => next++));
}

/** When a rank would be done with its lanes and one more. */
function doneMs(counts: readonly number[], laneMs: readonly number[], rank: number): number {
  return ((counts[rank] ?? 0) + 1) * (laneMs[rank] ?? 0);
}
