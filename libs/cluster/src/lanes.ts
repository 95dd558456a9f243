/**
 * Cuts lanes 0..numLanes-1 into contiguous runs, one for each rank, whose lengths differ by at most
 * one; the longer ones come first. Each lane has exactly one owner.
 * @throws RangeError unless 1 <= numRanks <= numLanes: a rank owns at least one lane
 */
export function assignLanes(numLanes: number, numRanks: number): number[][] {
  if (!Number.isInteger(numRanks) || numRanks < 1 || numRanks > numLanes) {
    throw new RangeError(`numRanks is ${numRanks}, expected 1 to numLanes = ${numLanes}`);
  }
  const shortest = Math.floor(numLanes / numRanks);
  const numLonger = numLanes % numRanks;
  let first = 0;
  return Array.from({ length: numRanks }, (_, rank) => {
    const length = shortest + (rank < numLonger ? 1 : 0);
    const lanes = Array.from({ length }, (_, index) => first + index);
    first += length;
    return lanes;
  });
}
