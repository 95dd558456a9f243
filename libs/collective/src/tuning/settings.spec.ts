import { describe, expect, it } from 'vitest';
import { bestExchangeLimit, bestSegmentBytes } from './settings.js';

/** Exchange takes a fixed time and one for each byte, ring twice the first and half of the second. */
const modelled = (fixedMs: number, bytesPerMs: number) =>
  Array.from({ length: 11 }, (_, i) => 1_024 * 2 ** i).map((bytes) => ({
    bytes,
    exchangeMs: fixedMs + bytes / bytesPerMs,
    ringMs: 2 * fixedMs + bytes / bytesPerMs / 2,
  }));

describe('bestExchangeLimit', () => {
  it('is where the costs cross', () => {
    // They cross at 2 * 0.05 ms * 1e6 bytes/ms = 100 kB.
    expect(bestExchangeLimit(modelled(0.05, 1e6), 16_384)).toBe(65_536);
    expect(bestExchangeLimit(modelled(0.05, 1e6), 1_024)).toBe(65_536);
  });

  it('is 0 where the ring is always faster, and the largest size where it never is', () => {
    expect(bestExchangeLimit(modelled(1e-6, 1e6), 16_384)).toBe(0);
    expect(bestExchangeLimit(modelled(20, 1e5), 16_384)).toBe(1_048_576);
  });

  it('is not moved by one size that was measured badly', () => {
    const costs = modelled(0.05, 1e6);
    const disturbed = costs.map((cost) =>
      cost.bytes === 4_096 ? { ...cost, exchangeMs: 3 * cost.exchangeMs } : cost,
    );
    expect(bestExchangeLimit(disturbed, 16_384)).toBe(65_536);
  });

  it('stays as it is where another value is hardly better', () => {
    const equal = modelled(0.05, 1e6).map(({ bytes, ringMs }) => ({
      bytes,
      exchangeMs: bytes <= 131_072 ? 0.93 * ringMs : ringMs,
      ringMs,
    }));
    expect(bestExchangeLimit(equal, 16_384)).toBe(16_384);
    // Also one that is none of the sizes.
    expect(bestExchangeLimit(equal, 10_000)).toBe(10_000);
  });
});

describe('bestSegmentBytes', () => {
  const costs = [
    { bytes: 4e6, segmentBytes: 262_144, ms: 2 },
    { bytes: 4e6, segmentBytes: 1_048_576, ms: 2.2 },
    { bytes: 32e6, segmentBytes: 262_144, ms: 30 },
    { bytes: 32e6, segmentBytes: 1_048_576, ms: 20 },
  ];

  it('weighs all vectors alike', () => {
    expect(bestSegmentBytes(costs, 262_144)).toBe(1_048_576);
    expect(bestSegmentBytes(costs, 1_048_576)).toBe(1_048_576);
  });

  it('stays as it is where another value is hardly better', () => {
    const near = costs.map((cost) => ({ ...cost, ms: cost.segmentBytes === 262_144 ? 10 : 9.5 }));
    expect(bestSegmentBytes(near, 262_144)).toBe(262_144);
  });
});
