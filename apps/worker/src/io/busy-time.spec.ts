import { describe, expect, it } from 'vitest';
import { BusyTime } from './busy-time.js';

describe('BusyTime', () => {
  it('counts the time in which anything is under way once', () => {
    let now = 100;
    const busy = new BusyTime(() => now);
    const at = (time: number, action: () => void): void => {
      now = time;
      action();
    };
    at(110, () => busy.begin());
    at(120, () => busy.begin());
    at(130, () => busy.end());
    expect(busy.ms).toBe(20);
    at(150, () => busy.end());
    expect(busy.ms).toBe(40);
    now = 190;
    expect(busy.ms).toBe(40);
    at(200, () => busy.begin());
    at(205, () => busy.end());
    expect(busy.ms).toBe(45);
  });
});
