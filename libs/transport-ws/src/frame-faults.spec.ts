import { broadcast, CollectiveError } from '@skipring/collective';
import { decodeRingFrameHeader } from '@skipring/protocol';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  encodeHeader,
  failureOf,
  fakeNeighbour,
  type FakeNeighbour,
} from './testing/fake-neighbour.js';

const PATIENT = { deadlineMs: 120_000 };
const payload = Uint8Array.from({ length: 1_024 }, (_, i) => i & 255);

/** Rank 1 waits for a broadcast of rank 0, of two segments. */
async function withReceiver(
  body: (fake: FakeNeighbour, received: Uint8Array, done: Promise<void>) => Promise<void>,
): Promise<void> {
  const fake = await fakeNeighbour(payload.byteLength);
  const received = new Uint8Array(2 * payload.byteLength);
  const done = broadcast(fake.transport, received, 0, PATIENT);
  done.catch(() => undefined);
  try {
    await body(fake, received, done);
  } finally {
    await fake.close();
  }
}

const faults: readonly (readonly [
  what: string,
  code: CollectiveError['code'],
  commit: (fake: FakeNeighbour) => void,
])[] = [
  [
    'a payload with a flipped bit',
    'CHECKSUM',
    ({ toRank1 }) => {
      const damaged = payload.slice();
      damaged[700]! ^= 4;
      toRank1.send(encodeHeader(payload));
      toRank1.send(damaged);
    },
  ],
  [
    'a header with a flipped bit in the segment number',
    'CHECKSUM',
    ({ toRank1 }) => {
      const header = encodeHeader(payload);
      header[24]! ^= 1;
      toRank1.send(header);
      toRank1.send(payload);
    },
  ],
  [
    'an earlier generation',
    'STALE_GENERATION',
    ({ sendFrame }) => {
      sendFrame(payload, { generation: 0 });
    },
  ],
  [
    'another attempt',
    'STALE_GENERATION',
    ({ sendFrame }) => {
      sendFrame(payload, { attempt: 7 });
    },
  ],
  [
    'another rank',
    'PROTOCOL',
    ({ sendFrame }) => {
      sendFrame(payload, { rank: 1 });
    },
  ],
  [
    'another operation',
    'PROTOCOL',
    ({ sendFrame }) => {
      sendFrame(payload, { operation: 'allReduce' });
    },
  ],
  [
    'a segment of the wrong size',
    'PROTOCOL',
    ({ sendFrame }) => {
      sendFrame(payload.subarray(8));
    },
  ],
  [
    'one early segment twice',
    'PROTOCOL',
    ({ sendFrame }) => {
      sendFrame(payload, { sequence: 5 });
      sendFrame(payload, { sequence: 5 });
    },
  ],
  [
    'a segment that is passed over',
    'SEGMENT_LOST',
    ({ sendFrame }) => {
      sendFrame(payload, { segment: 1 });
    },
  ],
  [
    'a payload of another size than the header says',
    'PROTOCOL',
    ({ toRank1 }) => {
      toRank1.send(encodeHeader(payload));
      toRank1.send(payload.subarray(1));
    },
  ],
  [
    'a header that is none',
    'PROTOCOL',
    ({ toRank1 }) => {
      toRank1.send(payload);
    },
  ],
  [
    'an empty message',
    'PROTOCOL',
    ({ toRank1 }) => {
      toRank1.send(new Uint8Array(0));
    },
  ],
  [
    'a text message',
    'PROTOCOL',
    ({ toRank1 }) => {
      toRank1.send('hello');
    },
  ],
  [
    'bytes that are no WebSocket frame',
    'PROTOCOL',
    ({ stream }) => {
      stream.write(Buffer.alloc(64, 0xff));
    },
  ],
  [
    'a header that announces too many bytes',
    'FRAME_TOO_LARGE',
    ({ toRank1 }) => {
      toRank1.send(encodeHeader(payload, { payloadBytes: 0x40000000 }));
    },
  ],
  [
    'a WebSocket message that announces too many bytes',
    'FRAME_TOO_LARGE',
    ({ stream }) => {
      // FIN, binary; unmasked; 64-bit length of 1 GiB: nothing of it need arrive.
      stream.write(Buffer.from([0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]));
    },
  ],
  [
    'an abort with an unreadable notice',
    'ABORTED',
    ({ sendFrame }) => {
      sendFrame(payload, { kind: 'abort', operation: null });
    },
  ],
  [
    'data against the ring',
    'PROTOCOL',
    ({ fromRank1 }) => {
      fromRank1.send(encodeHeader(payload));
      fromRank1.send(payload);
    },
  ],
  [
    'more against the ring than an abort needs',
    'FRAME_TOO_LARGE',
    ({ fromRank1 }) => {
      fromRank1.send(Buffer.alloc(100_000));
    },
  ],
  [
    'the end of its sending socket without a word',
    'PEER_CLOSED',
    ({ toRank1 }) => {
      toRank1.terminate();
    },
  ],
  [
    'the end of its receiving socket without a word',
    'PEER_CLOSED',
    ({ fromRank1 }) => {
      fromRank1.terminate();
    },
  ],
  [
    'a leave in the middle of a collective',
    'PEER_CLOSED',
    ({ toRank1 }) => {
      toRank1.close(1000);
    },
  ],
];

describe('what a neighbour may do wrong', { timeout: 10_000 }, () => {
  it('nothing wrong: the broadcast arrives', () =>
    withReceiver(async ({ sendFrame }, received, done) => {
      sendFrame(payload, { segment: 0 });
      sendFrame(payload, { segment: 1 });
      await done;
      expect(Buffer.compare(received.subarray(0, 1_024), payload)).toBe(0);
      expect(Buffer.compare(received.subarray(1_024), payload)).toBe(0);
    }));

  it.each(faults)('%s: %s', (what, code, commit) =>
    withReceiver(async (fake, received, done) => {
      const bothClosed = Promise.all(
        [fake.toRank1, fake.fromRank1].map(
          (socket) => new Promise((resolve) => socket.once('close', resolve)),
        ),
      );
      commit(fake);
      const error = await failureOf(fake.transport);
      expect(error).toBeInstanceOf(CollectiveError);
      expect(error.code).toBe(code);
      expect(error.rank).toBe(0);
      await expect(done).rejects.toBe(error);
      // A payload is read into place before its checksum can be right or wrong; nothing else is.
      const isPayload = what.startsWith('a payload');
      const untouched = received.subarray(isPayload ? payload.byteLength : 0);
      expect(untouched.every((byte) => byte === 0)).toBe(true);
      await bothClosed;
    }),
  );

  it('is told to both neighbours in an abort frame', () =>
    withReceiver(async (fake) => {
      const messages: Buffer[][] = [[], []];
      const closed = [fake.toRank1, fake.fromRank1].map((socket, i) => {
        socket.on('message', (message) => messages[i]!.push(message as Buffer));
        return new Promise((resolve) => socket.once('close', resolve));
      });
      fake.transport.abort(new CollectiveError('CHECKSUM', 'made up', { rank: 1 }));
      await Promise.all(closed);
      for (const [header, notice, ...rest] of messages) {
        expect(decodeRingFrameHeader(header!, crc32)).toMatchObject({ kind: 'abort', rank: 1 });
        expect(JSON.parse(notice!.toString())).toEqual({
          code: 'CHECKSUM',
          rank: 1,
          message: 'made up',
        });
        expect(rest).toEqual([]);
      }
    }));
});
