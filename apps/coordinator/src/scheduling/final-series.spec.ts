import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FinalSeries } from './final-series.js';

let removed: string[];
let series: FinalSeries;

beforeEach(() => {
  vi.useFakeTimers();
  removed = [];
  series = new FinalSeries({
    removeJob: (jobId) => Promise.resolve(void removed.push(jobId)),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the time series of a job that has ended', () => {
  it('end after a minute, and no others', () => {
    series.end('a');
    vi.advanceTimersByTime(30_000);
    series.end('b');
    vi.advanceTimersByTime(29_999);
    expect(removed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(removed).toEqual(['a']);
    vi.advanceTimersByTime(30_000);
    expect(removed).toEqual(['a', 'b']);
  });

  it('stay when the job runs again', () => {
    series.end('a');
    series.keep('a');
    vi.advanceTimersByTime(120_000);
    expect(removed).toEqual([]);
  });

  it('end once, a minute after the last end', () => {
    series.end('a');
    vi.advanceTimersByTime(40_000);
    series.end('a');
    vi.advanceTimersByTime(40_000);
    expect(removed).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(removed).toEqual(['a']);
  });

  it('hold no timer once closed', () => {
    series.end('a');
    series.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
