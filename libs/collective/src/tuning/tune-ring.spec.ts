import { describe, expect, it } from 'vitest';
import { EXCHANGE_LIMIT_BYTES } from '../exchange.js';
import { spawn } from '../testing/spawn.js';
import { tuneRing } from './tune-ring.js';

describe('tuneRing', () => {
  it('measures every size with every alternative, and all ranks agree', async () => {
    const algorithmSizes = [64, 4_096];
    const vectorSizes = [400_000];
    const told: string[] = [];
    const tunings = await spawn(3, (transport) =>
      tuneRing(transport, {
        deadlineMs: 30_000,
        budgetMs: 1,
        algorithmSizes,
        vectorSizes,
        onProgress: (done, sizes) => {
          if (transport.rank === 0) told.push(`${done} of ${sizes}`);
        },
      }),
    );
    const [first, ...others] = tunings;
    for (const other of others) expect(other).toEqual(first);
    expect(told).toEqual(['1 of 3', '2 of 3', '3 of 3']);
    expect(first!.worldSize).toBe(3);
    expect(first!.algorithms.map(({ bytes }) => bytes)).toEqual(algorithmSizes);
    for (const { exchangeMs, ringMs } of first!.algorithms) {
      expect(Math.min(exchangeMs, ringMs)).toBeGreaterThan(0);
    }
    // The ring's own limit, 4 KiB here, is among those that are compared.
    const limits = first!.segments.map(({ segmentBytes }) => segmentBytes);
    expect(limits).toEqual([131_072, 262_144, 524_288, 1_048_576, 4_096]);
    const { present, best } = first!;
    expect(present).toEqual({ exchangeLimitBytes: EXCHANGE_LIMIT_BYTES, segmentBytes: 4_096 });
    expect([0, ...algorithmSizes, EXCHANGE_LIMIT_BYTES]).toContain(best.exchangeLimitBytes);
    expect(limits).toContain(best.segmentBytes);
  });

  it('ends on all ranks when one leaves', async () => {
    await expect(
      spawn(2, async (transport) => {
        if (transport.rank === 1) throw new Error('gone');
        await tuneRing(transport, { deadlineMs: 30_000 });
      }),
    ).rejects.toThrow('gone');
  });
});
