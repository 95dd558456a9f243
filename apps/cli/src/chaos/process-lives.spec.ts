import { describe, expect, it } from 'vitest';
import type { UsageSample } from './growth.js';
import { growthLeaks, livesReport, ProcessLives } from './process-lives.js';
import { usageOf } from './process-usage.js';

function life(minutes: number, mbPerMinute: number, fdsPerMinute: number): UsageSample[] {
  return Array.from({ length: minutes * 30 + 1 }, (_, index) => ({
    atMs: index * 2_000,
    residentBytes: (100 + (mbPerMinute * index) / 30) * 1e6,
    numDescriptors: 10 + Math.floor((fdsPerMinute * index) / 30),
  }));
}

describe('lives of processes', () => {
  it('are summed up by kind, of those that were long enough', () => {
    const lives = [life(10, 0.2, 0), life(20, 0.4, 1), life(10, 0.3, 0), life(0.5, 90, 90)];
    const report = livesReport('worker', lives);
    expect(report).toMatchObject({ kind: 'worker', numLives: 4, numMeasured: 3 });
    expect([report.shortestMs, report.longestMs]).toEqual([8 * 60_000, 16 * 60_000]);
    expect(report.memory?.mbPerMinute).toBeCloseTo(0.3, 6);
    expect(report.numMoreDescriptors).toBe(16);
    expect(growthLeaks([report])).toEqual([]);
  });

  it('say nothing where none was long enough', () => {
    const report = livesReport('coordinator', [life(0.5, 90, 90)]);
    expect(report).toMatchObject({ numMeasured: 0, memory: null, numMoreDescriptors: null });
    expect(growthLeaks([report])).toEqual([]);
  });

  it('leak descriptors, and memory that surely grows', () => {
    expect(growthLeaks([livesReport('worker', [life(10, 0, 4)])])).toEqual([
      '32 descriptors of a worker',
    ]);
    expect(growthLeaks([livesReport('coordinator', [life(10, 9, 0)])])).toEqual([
      '9.0 MB a minute of a coordinator',
    ]);
  });

  it.runIf(process.platform === 'linux')('are looked at as /proc tells', async () => {
    const usage = await usageOf(process.pid);
    expect(usage?.residentBytes).toBeGreaterThan(10e6);
    expect(usage?.numDescriptors).toBeGreaterThan(2);
    expect(await usageOf(2 ** 30)).toBeNull();
    const lives = new ProcessLives(() => [{ kind: 'worker', pid: process.pid }]);
    expect(lives.report().map(({ kind, numLives }) => [kind, numLives])).toEqual([
      ['coordinator', 0],
      ['worker', 0],
    ]);
  });
});
