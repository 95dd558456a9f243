import { describe, expect, it } from 'vitest';
import { CollectiveError } from './collective-error.js';
import { Inbox } from './inbox.js';
import type { SegmentKey } from './transport.js';

const key = (segment: number): SegmentKey => ({ operation: 'allReduce', sequence: 3, segment });
const bytes = (length: number) => new Uint8Array(length).fill(7);

function inboxOf(maxHeldBytes: number) {
  const events: string[] = [];
  const inbox = new Inbox({
    maxHeldBytes,
    onFull: () => events.push('full'),
    onDrained: () => events.push('drained'),
  });
  return { inbox, events };
}

describe('Inbox', () => {
  it('gives a segment to the receive that waits, in any order', async () => {
    const { inbox } = inboxOf(1_000_000);
    const sinks = [bytes(4).fill(0), bytes(4).fill(0)];
    const receives = sinks.map((sink, i) => inbox.post(key(i), sink));
    expect(inbox.numPending).toBe(2);
    inbox.deliver(key(1), Uint8Array.of(5, 6, 7, 8));
    inbox.deliver(key(0), Uint8Array.of(1, 2, 3, 4));
    await Promise.all(receives);
    expect(sinks.map((sink) => [...sink])).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(inbox.numPending).toBe(0);
  });

  it('asks for a pause when too much is held, once, and for more when half is taken', async () => {
    const { inbox, events } = inboxOf(10_000);
    for (let i = 0; i < 4; i++) inbox.deliver(key(i), bytes(4_000));
    expect(events).toEqual(['full']);
    for (let i = 0; i < 4; i++) {
      expect(inbox.has(key(i))).toBe(true);
      await inbox.post(key(i), bytes(4_000));
      expect(inbox.has(key(i))).toBe(false);
    }
    expect(events).toEqual(['full', 'drained']);
  });

  it('counts segments without bytes too', () => {
    const { inbox, events } = inboxOf(10_000);
    for (let i = 0; i < 1_000; i++) inbox.deliver(key(i), bytes(0));
    expect(events).toEqual(['full']);
  });

  it('holds a small part of a large buffer as a copy', async () => {
    const { inbox } = inboxOf(10_000);
    const chunk = bytes(1_000);
    inbox.deliver(key(0), chunk.subarray(8, 12));
    chunk.fill(0);
    const sink = bytes(4).fill(0);
    await inbox.post(key(0), sink);
    expect([...sink]).toEqual([7, 7, 7, 7]);
  });

  it('aligns what an accumulator gets', async () => {
    const { inbox } = inboxOf(10_000);
    const source = Buffer.alloc(64, 9).subarray(3, 11);
    const seen: Uint8Array[] = [];
    const receive = inbox.post(key(0), {
      byteLength: 8,
      place: () => null,
      add: (payload) => {
        seen.push(payload);
        return { ofAddend: 0, ofTarget: 0 };
      },
    });
    inbox.deliver(key(0), source);
    await receive;
    expect(seen[0]!.byteOffset % 8).toBe(0);
    expect([...seen[0]!]).toEqual(new Array(8).fill(9));
  });

  it('refuses what does not fit', async () => {
    const { inbox } = inboxOf(10_000);
    inbox.post(key(0), bytes(4)).catch(() => undefined);
    await expect(inbox.post(key(0), bytes(4))).rejects.toThrow('received twice');
    expect(() => {
      inbox.deliver(key(0), bytes(5));
    }).toThrow('of 5 bytes, expected allReduce 3, segment 0 of 4 bytes');
    expect(() => {
      inbox.deliver({ ...key(0), operation: 'barrier' }, bytes(4));
    }).toThrow(CollectiveError);
    inbox.deliver(key(1), bytes(4));
    expect(() => {
      inbox.deliver(key(1), bytes(4));
    }).toThrow('came twice');
    await expect(inbox.post(key(1), bytes(3))).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  it('rejects all that wait when it fails', async () => {
    const { inbox } = inboxOf(10_000);
    const error = new CollectiveError('DEADLINE', 'made up');
    const receives = [0, 1, 2].map((i) => inbox.post(key(i), bytes(4)));
    inbox.fail(error);
    for (const receive of receives) await expect(receive).rejects.toBe(error);
    expect(inbox.numPending).toBe(0);
  });
});
