import { describe, expect, it } from 'vitest';
import { startPosition, type ReadyState } from './start-position.js';

const at = (step: number, stateHash: string): ReadyState => ({
  position: { step, epoch: 0, cursor: step },
  stateHash,
});

describe('startPosition', () => {
  it('takes the furthest position', () => {
    expect(startPosition([at(3, 'c'), at(5, 'e'), at(0, 'a'), at(5, 'e')])).toEqual({
      position: { step: 5, epoch: 0, cursor: 5 },
      sourceRank: 1,
      behind: [0, 2],
    });
  });

  it('takes the state of most ranks where they differ', () => {
    const start = startPosition([at(5, 'odd'), at(5, 'e'), at(5, 'e')]);
    expect(start).toMatchObject({ sourceRank: 1, behind: [0] });
  });

  it('takes the state of the lowest rank in a tie', () => {
    expect(startPosition([at(5, 'z'), at(5, 'a')])).toMatchObject({ sourceRank: 0, behind: [1] });
  });

  it('does not let a majority further back win', () => {
    expect(startPosition([at(4, 'd'), at(4, 'd'), at(5, 'e')]).sourceRank).toBe(2);
  });

  it('refuses an empty list', () => {
    expect(() => startPosition([])).toThrow(RangeError);
  });
});
