import type { Position } from '@skipring/protocol';

/** Where a member stands when it is ready. */
export interface ReadyState {
  readonly position: Position;
  readonly stateHash: string;
}

export interface StartPosition {
  readonly position: Position;
  readonly sourceRank: number;
  /** Ranks whose state is another than the source's. */
  readonly behind: number[];
}

/**
 * The furthest position wins, so that no committed step is lost. Ranks at the same position with
 * different hashes have diverged: the hash of most of them wins, and in a tie that of the lowest rank.
 * @param states by rank; at least one
 */
export function startPosition(states: readonly ReadyState[]): StartPosition {
  const furthest = Math.max(...states.map(({ position }) => position.step));
  const counts = new Map<string, number>();
  for (const { position, stateHash } of states) {
    if (position.step === furthest) counts.set(stateHash, (counts.get(stateHash) ?? 0) + 1);
  }
  // A map keeps the order of insertion, so the first of the largest belongs to the lowest rank.
  const largest = Math.max(...counts.values());
  const hash = [...counts].find(([, count]) => count === largest)?.[0];
  const isCurrent = ({ position, stateHash }: ReadyState): boolean =>
    position.step === furthest && stateHash === hash;
  const sourceRank = states.findIndex(isCurrent);
  const source = states[sourceRank];
  if (source === undefined) throw new RangeError('states is empty, expected one for each rank');
  return {
    position: source.position,
    sourceRank,
    behind: states.flatMap((state, rank) => (isCurrent(state) ? [] : [rank])),
  };
}
