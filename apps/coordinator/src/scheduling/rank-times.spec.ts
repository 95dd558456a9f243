import { describe, expect, it } from 'vitest';
import { RankTimes } from './rank-times.js';

const parts = { dataWaitMs: 1, computeMs: 10, ringMs: 2, commitMs: 0, applyMs: 1 };

describe('RankTimes', () => {
  it('means the steps of each rank since the record before, by rank', () => {
    const times = new RankTimes();
    times.observe({ rank: 1, workerId: 'b', parts: { ...parts, computeMs: 30 }, samples: 8 });
    times.observe({ rank: 0, workerId: 'a', parts, samples: 4 });
    times.observe({ rank: 0, workerId: 'a', parts: { ...parts, computeMs: 20 }, samples: 2 });
    expect(times.take(2, 1_000)).toEqual({
      step: 2,
      timeMs: 1_000,
      ranks: [
        { rank: 0, workerId: 'a', samples: 3, parts: { ...parts, computeMs: 15 } },
        { rank: 1, workerId: 'b', samples: 8, parts: { ...parts, computeMs: 30 } },
      ],
    });
    times.observe({ rank: 0, workerId: 'a', parts, samples: 4 });
    expect(times.take(3, 2_999)).toBeNull();
    times.observe({ rank: 0, workerId: 'a', parts, samples: 4 });
    expect(times.take(4, 3_000)?.ranks).toEqual([{ rank: 0, workerId: 'a', samples: 4, parts }]);
    expect(times.take(5, 9_000)).toBeNull();
  });

  it('never mixes two workers that had one rank', () => {
    const times = new RankTimes();
    times.observe({ rank: 0, workerId: 'a', parts: { ...parts, computeMs: 99 }, samples: 4 });
    times.observe({ rank: 0, workerId: 'b', parts, samples: 4 });
    expect(times.take(1, 0)?.ranks).toEqual([{ rank: 0, workerId: 'b', samples: 4, parts }]);
    times.observe({ rank: 1, workerId: 'a', parts, samples: 4 });
    times.restart();
    expect(times.take(2, 5_000)).toBeNull();
  });
});
