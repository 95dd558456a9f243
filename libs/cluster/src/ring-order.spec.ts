import { describe, expect, it } from 'vitest';
import { ringOrder, type RingMember } from './ring-order.js';

/** Members named by host and number, such as `a1`. */
const named = (...ids: string[]): RingMember[] =>
  ids.map((workerId) => ({ workerId, hostLabel: workerId.slice(0, 1) }));
const ids = (ring: readonly RingMember[]) => ring.map(({ workerId }) => workerId).join(' ');
const unknown = (): null => null;

describe('ringOrder', () => {
  it('keeps the order given where nothing speaks against it', () => {
    expect(ids(ringOrder(named('a1', 'b1', 'c1', 'd1'), unknown))).toBe('a1 b1 c1 d1');
    expect(ids(ringOrder([], unknown))).toBe('');
    expect(ids(ringOrder(named('a1'), unknown))).toBe('a1');
  });

  it('makes members of one host neighbours', () => {
    const ring = ringOrder(named('a1', 'b1', 'a2', 'c1', 'b2', 'a3'), unknown);
    expect(ids(ring)).toBe('a1 a2 a3 b1 b2 c1');
  });

  it('goes around a slow link', () => {
    const slow = new Set(['a1 b1', 'c1 d1']);
    const speed = (from: string, to: string) => (slow.has(`${from} ${to}`) ? 1e6 : 1e9);
    const ring = ringOrder(named('a1', 'b1', 'c1', 'd1'), speed);
    const links = ring.map((from, rank) => `${from.workerId} ${ring[(rank + 1) % 4]!.workerId}`);
    expect(links.filter((link) => slow.has(link))).toEqual([]);
  });

  it('prefers a link it does not know to one that was slow', () => {
    const speed = (from: string, to: string) => (from === 'a1' && to === 'b1' ? 1e6 : null);
    const ring = ringOrder(named('a1', 'b1', 'c1'), speed);
    expect(ids(ring)).toBe('a1 c1 b1');
  });

  it('leaves a host no more often for the sake of speed', () => {
    const speed = (from: string, to: string) => (from.startsWith(to.slice(0, 1)) ? 1e6 : 1e9);
    const ring = ringOrder(named('a1', 'a2', 'b1', 'b2'), speed);
    expect(ids(ring)).toBe('a1 a2 b1 b2');
  });

  it('does not turn around for what may be noise', () => {
    const speed = (from: string, to: string) => (from < to ? 1e9 : 1.1e9);
    expect(ids(ringOrder(named('a1', 'b1', 'c1'), speed))).toBe('a1 b1 c1');
  });
});
