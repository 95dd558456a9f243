import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { allReduce, CollectiveError, type Transport } from '@skipring/collective';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from './dial.js';
import { RingListener } from './ring-listener.js';
import { NUM_SLOTS, SharedSlots, SLOT_BYTES } from './shared-slots.js';
import { SlotReceiver, SlotSender } from './slot-links.js';
import { encodeHeader, failureOf, fakeNeighbour } from './testing/fake-neighbour.js';
import { connectAll, FENCE, LOOPBACK, RING_TOKEN } from './testing/web-socket-group.js';

const hasSlots = process.platform === 'linux' && existsSync('/dev/shm');
const opened: SharedSlots[] = [];
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const slots of opened.splice(0)) slots.close();
  for (const close of closers.splice(0).reverse()) await close();
});

function keep(slots: SharedSlots | null): SharedSlots {
  if (slots === null) throw new Error('there are no slots');
  opened.push(slots);
  return slots;
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;
const namedFiles = (): string[] =>
  readdirSync('/dev/shm').filter((name) => name.includes('skipring'));

describe.runIf(hasSlots)('shared slots', () => {
  it('hold what was written, each its own, and have no name', () => {
    const theirs = keep(SharedSlots.create());
    expect(namedFiles()).toEqual([]);
    const ours = keep(SharedSlots.open(theirs.offer));
    for (let index = 0; index < NUM_SLOTS; index++) {
      ours.write(index, new Uint8Array(SLOT_BYTES).fill(index + 1));
    }
    for (let index = 0; index < NUM_SLOTS; index++) {
      const part = new Uint8Array(1_000);
      theirs.read(index, SLOT_BYTES - 1_000, part);
      expect(part.every((byte) => byte === index + 1)).toBe(true);
    }
  });

  it('are not opened where something else is found', () => {
    const { offer } = keep(SharedSlots.create());
    const before = openFiles();
    const directory = openSync(tmpdir(), 'r');
    for (const wrong of [
      { ...offer, nonce: '0'.repeat(32) },
      { ...offer, fd: directory },
      { ...offer, fd: 9_999_999 },
      { ...offer, pid: 2 ** 30 },
    ]) {
      expect(SharedSlots.open(wrong)).toBeNull();
    }
    closeSync(directory);
    expect(openFiles()).toBe(before);
  });

  it('are neither read nor written after they were closed', () => {
    const slots = keep(SharedSlots.create());
    slots.close();
    slots.close();
    expect(() => {
      slots.write(0, new Uint8Array(8));
    }).toThrow('closed');
    expect(() => {
      slots.read(0, 0, new Uint8Array(8));
    }).toThrow('closed');
  });

  it('make a sender wait until one was read', async () => {
    const theirs = keep(SharedSlots.create());
    const sender = new SlotSender(keep(SharedSlots.open(theirs.offer)));
    const receiver = new SlotReceiver(theirs, (total) => {
      sender.taken(total);
    });
    for (let value = 1; value <= NUM_SLOTS; value++)
      sender.fill(new Uint8Array(300_000).fill(value));
    expect(sender.hasRoom).toBe(false);
    let isFree = false;
    const room = sender.room().then(() => (isFree = true));
    const seen: number[] = [];
    while (!sender.hasRoom) {
      expect(isFree).toBe(false);
      const byte = new Uint8Array(1);
      receiver.take((source) => {
        source(299_999, byte);
      });
      seen.push(byte[0]!);
    }
    await room;
    expect(seen).toEqual([1, 2]);
    expect(() => {
      sender.taken(NUM_SLOTS + 1);
    }).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  it.each([
    [true, true],
    [true, false],
    [false, true],
  ])('are shared if both ranks want that: %s, %s', async (listens, dials) => {
    const listener = await RingListener.listen({ host: LOOPBACK, port: 0, sharedMemory: listens });
    closers.push(() => listener.close());
    const accepted = new Promise<SharedSlots | null>((resolve) => {
      const accept = (_socket: unknown, _stream: unknown, slots: SharedSlots | null) => {
        resolve(slots);
      };
      const slot = { fence: FENCE, rank: 0, nextRank: 1, ringToken: RING_TOKEN };
      listener.register({ ...slot, isTaken: () => false, accept });
    });
    const got = await new Promise<SharedSlots | null>((resolve, reject) => {
      dial({
        target: { host: LOOPBACK, port: listener.port, localName: listener.localName! },
        tls: null,
        dialsLocally: true,
        sharesMemory: dials,
        fence: FENCE,
        from: 1,
        to: 0,
        ringToken: RING_TOKEN,
        onOpen: (socket, slots) => {
          closers.push(() => socket.close(1000, 100));
          resolve(slots);
        },
        onRefused: reject,
      });
    });
    const isShared = listens && dials;
    expect([got !== null, (await accepted) !== null]).toEqual([isShared, isShared]);
    if (got !== null) opened.push(got);
  });

  it('are closed with their ring', async () => {
    const before = openFiles();
    const listeners = await Promise.all(
      [0, 1].map(() => RingListener.listen({ host: LOOPBACK, port: 0 })),
    );
    const transports: Transport[] = await connectAll(listeners, {}, true);
    await Promise.all(
      transports.map((transport) =>
        allReduce(transport, new Float32Array(1_500_000).fill(1), { deadlineMs: 10_000 }),
      ),
    );
    await Promise.all(transports.map((transport) => transport.close()));
    await Promise.all(listeners.map((listener) => listener.close()));
    await expect.poll(openFiles).toBe(before);
  });

  it.each(['abort', 'close'] as const)(
    'let go of those that wait for room at an %s',
    async (how) => {
      const listeners = await Promise.all(
        [0, 1].map(() => RingListener.listen({ host: LOOPBACK, port: 0 })),
      );
      closers.push(() => Promise.all(listeners.map((listener) => listener.close())));
      const before = openFiles();
      // What nobody asks for fills this, then the slots; the rest waits.
      const [sender, receiver] = await connectAll(listeners, { maxHeldBytes: 1_000_000 }, true);
      const payload = new Uint8Array(SLOT_BYTES);
      let numSent = 0;
      const sends = Array.from({ length: 20 }, (_, segment) => {
        const key = { operation: 'broadcast', sequence: 0, segment } as const;
        return sender!.send(key, payload).then(
          () => {
            numSent++;
            return 'sent';
          },
          (error: unknown) => (error as CollectiveError).code,
        );
      });
      await expect.poll(() => numSent).toBeGreaterThanOrEqual(NUM_SLOTS);
      if (how === 'close') await sender!.close();
      else receiver!.abort(new CollectiveError('DEADLINE', 'made up', { rank: 1 }));
      const outcomes = await Promise.all(sends);
      expect(outcomes.slice(0, numSent).every((outcome) => outcome === 'sent')).toBe(true);
      expect(new Set(outcomes.slice(numSent))).toEqual(
        new Set([how === 'close' ? 'CLOSED' : 'ABORTED']),
      );
      expect(numSent).toBeLessThan(20);
      await Promise.all([sender!.close(), receiver!.close()]);
      await expect.poll(openFiles).toBeLessThanOrEqual(before);
    },
  );

  it('are not used by a rank that was offered none', async () => {
    const neighbour = await fakeNeighbour();
    closers.push(() => neighbour.close());
    const failure = failureOf(neighbour.transport);
    neighbour.toRank1.send(encodeHeader(new Uint8Array(8), { kind: 'slot' }));
    expect(await failure).toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringContaining('slot') as string,
    });
  });

  it('are not said to be read by a rank that shares none', async () => {
    const neighbour = await fakeNeighbour();
    closers.push(() => neighbour.close());
    const failure = failureOf(neighbour.transport);
    const taken = { kind: 'taken', operation: null, sequence: 1 } as const;
    neighbour.fromRank1.send(encodeHeader(new Uint8Array(0), taken));
    expect(await failure).toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringContaining('slots') as string,
    });
  });
});
