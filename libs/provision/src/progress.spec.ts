import { describe, expect, it } from 'vitest';
import { createProgress, formatBytes } from './progress.js';

function capture(isTTY: boolean): {
  written: string[];
  stream: Parameters<typeof createProgress>[0];
} {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 60, write: (text) => written.push(text) > 0 } };
}

describe('createProgress', () => {
  it('draws a bar on a terminal, at most ten times a second', () => {
    const { written, stream } = capture(true);
    let nowMs = 1000;
    const task = createProgress(stream, () => nowMs).begin('fetching x', 100e6);
    for (let i = 1; i <= 100; i += 1) {
      nowMs += 10;
      task.update(i * 1e6);
    }
    task.finish();
    expect(written.length).toBeLessThanOrEqual(12);
    expect(written.at(-2)).toMatch(/^\rfetching x \[={20}\] 100 MB/);
    expect(written.every((text) => text.length <= 66)).toBe(true);
  });

  it('writes lines where there is no terminal', () => {
    const { written, stream } = capture(false);
    const task = createProgress(stream).begin('fetching x', 100e6);
    for (let i = 1; i <= 100; i += 1) task.update(i * 1e6);
    task.finish();
    expect(written).toHaveLength(11);
    expect(written[0]).toBe('fetching x (100 MB)\n');
    expect(written.at(-1)).toBe('fetching x: 100 %\n');
  });

  it('writes bytes as people do', () => {
    expect([999, 6071179, 273829956, 2.5e9].map(formatBytes)).toEqual([
      '1 kB',
      '6 MB',
      '274 MB',
      '2.5 GB',
    ]);
  });
});
