import { expect, it } from 'vitest';
import { LinkMeter } from './link-meter.js';

it('tells the mean speed of large payloads, and nothing before there was one', () => {
  let nowMs = 0;
  const meter = new LinkMeter(() => nowMs);
  const take = (numBytes: number, ms: number): void => {
    meter.begin();
    nowMs += ms;
    meter.end(numBytes);
    nowMs += 1_000; // The sender has nothing to send.
  };
  take(1_000, 500);
  expect(meter.bytesPerSecond).toBeNull();
  take(1e6, 10);
  expect(meter.bytesPerSecond).toBeCloseTo(1e8);
  for (let i = 0; i < 100; i++) take(1e6, 20);
  expect(meter.bytesPerSecond! / 5e7).toBeCloseTo(1, 2);
});
