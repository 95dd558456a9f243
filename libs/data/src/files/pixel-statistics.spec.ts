import { describe, expect, it } from 'vitest';
import { PixelStatistics } from './pixel-statistics.js';

describe('PixelStatistics', () => {
  it('agrees with the definition, however the pixels are cut', () => {
    const pixels = Uint8Array.from({ length: 3 * 500 }, (_, i) => (i * i * 7 + i) % 256);
    const statistics = new PixelStatistics(3);
    statistics.add(pixels.subarray(0, 300));
    statistics.add(pixels.subarray(300));
    const { mean, standardDeviation } = statistics.result();
    for (const channel of [0, 1, 2]) {
      const values = [...pixels].filter((_, i) => i % 3 === channel).map((byte) => byte / 255);
      const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, v) => sum + (v - expected) ** 2, 0) / values.length;
      expect(mean[channel]).toBeCloseTo(expected, 12);
      expect(standardDeviation[channel]).toBeCloseTo(Math.sqrt(variance), 12);
    }
  });

  it('divides by 1 where a channel is constant', () => {
    const statistics = new PixelStatistics(1);
    statistics.add(new Uint8Array(100).fill(51));
    expect(statistics.result()).toEqual({ mean: [0.2], standardDeviation: [1] });
  });
});
