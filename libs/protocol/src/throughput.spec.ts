import { describe, expect, it } from 'vitest';
import { Throughput } from './throughput.js';

describe('throughput', () => {
  it('is nothing before the first step', () => {
    const throughput = new Throughput();
    throughput.observe(128, 0);
    expect(throughput.imagesPerSecond).toBe(0);
    expect(throughput.etaMs(10)).toBeNull();
  });

  it('is that of the first step after it', () => {
    const throughput = new Throughput();
    throughput.observe(128, 250);
    expect(throughput.imagesPerSecond).toBe(512);
    expect(throughput.etaMs(10)).toBe(2_500);
    expect(throughput.etaMs(0)).toBe(0);
  });

  it('follows a change within some tens of steps, and one slow step hardly', () => {
    const throughput = new Throughput();
    for (let step = 0; step < 50; step++) throughput.observe(100, 100);
    expect(throughput.imagesPerSecond).toBeCloseTo(1_000, 6);
    throughput.observe(100, 200);
    expect(throughput.imagesPerSecond).toBeCloseTo(1_000 / 1.1, 6);
    for (let step = 0; step < 100; step++) throughput.observe(100, 200);
    expect(throughput.imagesPerSecond).toBeCloseTo(500, 0);
  });

  it('of a short last step counts its own samples', () => {
    const throughput = new Throughput();
    for (let step = 0; step < 20; step++) throughput.observe(100, 100);
    throughput.observe(10, 10);
    expect(throughput.imagesPerSecond).toBeCloseTo(1_000, 6);
  });
});
