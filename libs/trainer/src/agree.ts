import { TrainerError } from './errors.js';
import { gather } from './gather.js';
import type { Generation } from './generation.js';

/**
 * The commit vote: resolves only when every rank holds the same reduced vector. A rank whose ring
 * failed does not vote, and then no rank's vote completes, but for one case: a ring that fails while
 * votes arrive may leave some ranks with all votes and others without. Those with all votes commit,
 * so positions differ by one commit. The next generation starts from the furthest rank; where none of
 * them survived, the steps are computed anew, to the same bits.
 *
 * @param checksum of the reduced vector
 * @param words what else each rank tells all others
 * @returns the words, by rank
 * @throws TrainerError REDUCTION_DIVERGED
 */
export async function agree(
  g: Generation,
  checksum: readonly [number, number],
  words: readonly number[],
): Promise<Int32Array[]> {
  const votes = await gather(g.collective, [...checksum, ...words], g.deadlineMs);
  const differing = votes.flatMap((row, rank) =>
    row[0] === checksum[0] && row[1] === checksum[1] ? [] : [rank],
  );
  if (differing.length > 0) {
    throw new TrainerError(
      'REDUCTION_DIVERGED',
      `step ${g.state.position.step + 1}: the reduced vector of rank ${g.collective.rank} is not ` +
        `that of rank ${differing.join(', ')}; expected the same bits on every rank`,
    );
  }
  return votes.map((row) => row.subarray(2));
}
