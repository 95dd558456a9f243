import { allReduce, barrier, type CollectiveError, type Transport } from '@skipring/collective';
import { describe, expect, it } from 'vitest';
import type { SilenceLimits } from './silence-watch.js';
import type { SendInterceptor } from './send-interceptor.js';
import { connectRing } from './connect-ring.js';
import { faultyLink, type FaultyLink } from './testing/faulty-link.js';
import { FENCE, listenAll, LOOPBACK, RING_TOKEN } from './testing/web-socket-group.js';

const NUM_RANKS = 3;

/** A ring of three whose link from rank 0 to rank 1 is faulty. */
async function withFaultyRing(
  body: (ring: Transport[], link: FaultyLink) => Promise<void>,
  options: { silence?: SilenceLimits; interceptor?: SendInterceptor } = {},
): Promise<void> {
  const listeners = await listenAll(NUM_RANKS);
  const link = await faultyLink(listeners[0]!.port);
  const ports = [link.port, ...listeners.slice(1).map(({ port }) => port)];
  const ring = await Promise.all(
    listeners.map((listener, rank) =>
      connectRing({
        listener,
        fence: FENCE,
        rank,
        members: ports.map((port) => ({ host: LOOPBACK, port })),
        ringToken: RING_TOKEN,
        deadlineMs: 10_000,
        silence: options.silence,
        interceptor: rank === 0 ? options.interceptor : undefined,
      }),
    ),
  );
  try {
    await body(ring, link);
  } finally {
    await Promise.all(ring.map((transport) => transport.close()));
    await Promise.all([...listeners.map((listener) => listener.close()), link.close()]);
  }
}

const errorsOf = (ring: readonly Transport[], deadlineMs: number) =>
  Promise.all(
    ring.map((transport) =>
      allReduce(transport, new Float32Array(1_000_000).fill(1), { deadlineMs }).then(
        () => null,
        (error: unknown) => error as CollectiveError,
      ),
    ),
  );

describe('faults between two ranks', { timeout: 10_000 }, () => {
  it('a bit that flips on the way fails all ranks, by its checksum', () =>
    withFaultyRing(async (ring, link) => {
      link.flipBitAt(700_000);
      const errors = await errorsOf(ring, 120_000);
      expect(errors[1]).toMatchObject({ code: 'CHECKSUM', rank: 0 });
      for (const error of [errors[0], errors[2]]) {
        expect(error).toMatchObject({ code: 'ABORTED', originCode: 'CHECKSUM', rank: 0 });
      }
    }));

  it('silence with open sockets fails all ranks at the deadline', () =>
    withFaultyRing(async (ring, link) => {
      await Promise.all(ring.map((transport) => barrier(transport, { deadlineMs: 10_000 })));
      link.freeze();
      const errors = await errorsOf(ring, 300);
      for (const error of errors) {
        expect([error?.code, error?.originCode]).toContain('DEADLINE');
      }
    }));

  it('silence with open sockets fails all ranks in the time that is set, long before the deadline', () =>
    withFaultyRing(
      async (ring, link) => {
        await Promise.all(ring.map((transport) => barrier(transport, { deadlineMs: 10_000 })));
        link.freeze();
        const errors = await errorsOf(ring, 120_000);
        for (const error of errors) {
          expect([error?.code, error?.originCode]).toContain('PEER_SILENT');
        }
      },
      { silence: { pingIntervalMs: 50, limitMs: 400 } },
    ));

  it('neighbours that only have nothing to say are not silent', () =>
    withFaultyRing(
      async (ring) => {
        await new Promise((done) => setTimeout(done, 1_500));
        expect(await errorsOf(ring, 10_000)).toEqual([null, null, null]);
      },
      { silence: { pingIntervalMs: 50, limitMs: 600 } },
    ));

  describe('that are brought about', () => {
    const nth = (turn: number, fault: SendInterceptor): SendInterceptor => {
      let count = 0;
      return (key, payload) => (++count === turn ? fault(key, payload) : null);
    };

    it('a changed bit is found by the checksum', () =>
      withFaultyRing(
        async (ring) => {
          const errors = await errorsOf(ring, 10_000);
          expect(errors[1]).toMatchObject({ code: 'CHECKSUM', rank: 0 });
        },
        {
          interceptor: nth(3, (_, payload) => {
            const changed = payload.slice();
            changed[5]! ^= 1;
            return Promise.resolve(changed);
          }),
        },
      ));

    it('a dropped segment is found by the one behind it', () =>
      withFaultyRing(
        async (ring) => {
          const errors = await errorsOf(ring, 10_000);
          expect(errors[1]).toMatchObject({ code: 'SEGMENT_LOST', rank: 0 });
        },
        { interceptor: nth(3, () => Promise.resolve(null)) },
      ));

    it('late segments keep their order and change nothing', () =>
      withFaultyRing(
        async (ring) => {
          expect(await errorsOf(ring, 10_000)).toEqual([null, null, null]);
        },
        {
          interceptor: async ({ segment }, payload) => {
            await new Promise((done) => setTimeout(done, (segment * 7) % 5));
            return payload;
          },
        },
      ));
  });
});
