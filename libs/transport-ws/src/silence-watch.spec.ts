import { describe, expect, it } from 'vitest';
import { SilenceWatch } from './silence-watch.js';

describe('SilenceWatch', () => {
  it('adds up the time since something came', () => {
    const watch = new SilenceWatch(100);
    expect(watch.observe(7, 100)).toBe(0);
    expect(watch.observe(7, 100)).toBe(100);
    expect(watch.observe(7, 120)).toBe(220);
    expect(watch.observe(8, 100)).toBe(0);
    expect(watch.observe(8, 100)).toBe(100);
  });

  it('does not count the time in which this side stood still', () => {
    const watch = new SilenceWatch(100);
    watch.observe(1, 100);
    expect(watch.observe(1, 60_000)).toBe(200);
  });
});
