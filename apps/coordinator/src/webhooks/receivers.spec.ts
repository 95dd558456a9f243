import { describe, expect, it } from 'vitest';
import { MAX_IN_FLIGHT, Receivers } from './receivers.js';

const URL_A = 'https://a.example/one';
const URL_B = 'https://b.example/';

/** Takes every place at a receiver. */
function fill(receivers: Receivers, url: string): void {
  for (let index = 0; index < MAX_IN_FLIGHT; index += 1) {
    expect(receivers.begin(url, `first-${index}`)).toBeNull();
  }
}

describe('receivers', () => {
  it('are called by so many at a time, whatever the path, and never wait for one another', () => {
    const receivers = new Receivers();
    fill(receivers, URL_A);
    expect(receivers.begin('https://a.example/two', 'next')).toBeGreaterThan(0);
    expect(receivers.begin(URL_B, 'other')).toBeNull();
    receivers.end(URL_A, 10);
    expect(receivers.begin(URL_A, 'next')).toBeNull();
  });

  it('are called again after a time that grows with those that wait and with their slowness', () => {
    const receivers = new Receivers();
    fill(receivers, URL_A);
    receivers.end(URL_A, 1_000);
    expect(receivers.begin(URL_A, 'last place')).toBeNull();
    const waits = Array.from({ length: 2 * MAX_IN_FLIGHT }, (_, index) =>
      receivers.begin(URL_A, `next-${index}`),
    );
    expect(waits).toEqual([
      ...Array<number>(MAX_IN_FLIGHT).fill(1_000),
      ...Array<number>(MAX_IN_FLIGHT).fill(2_000),
    ]);
    // Who comes again is counted once.
    expect(receivers.begin(URL_A, 'next-0')).toBe(2_000);
    receivers.end(URL_A, 2_000);
    expect(receivers.begin(URL_A, 'next-0')).toBeNull();
  });

  it('are forgotten when nothing is on its way to them and nothing waits, or waits in vain', () => {
    const receivers = new Receivers();
    fill(receivers, URL_A);
    expect(receivers.begin(URL_A, 'of a webhook that is removed')).toBeGreaterThan(0);
    receivers.forget('of a webhook that is removed');
    for (let index = 0; index < MAX_IN_FLIGHT; index += 1) receivers.end(URL_A, 10);
    expect(receivers.size).toBe(0);
    fill(receivers, URL_A);
    expect(receivers.begin(URL_A, 'late')).toBeGreaterThan(0);
    for (let index = 0; index < MAX_IN_FLIGHT; index += 1) receivers.end(URL_A, 10);
    expect(receivers.size).toBe(1);
    receivers.forget('late');
    expect(receivers.size).toBe(0);
  });
});
