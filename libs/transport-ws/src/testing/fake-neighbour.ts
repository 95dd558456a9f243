import type { Duplex } from 'node:stream';
import { crc32 } from 'node:zlib';
import { digest, type CollectiveError, type Transport } from '@skipring/collective';
import { encodeRingFrameHeader, RING_PATH, type RingFrameHeader } from '@skipring/protocol';
import { WebSocket } from 'ws';
import { connectRing } from '../connect-ring.js';
import { dialHeaders } from '../handshake.js';
import type { RingListener } from '../ring-listener.js';
import { FENCE, listenAll, LOOPBACK, RING_TOKEN } from './web-socket-group.js';

export type FrameFields = Omit<RingFrameHeader, 'checksum' | 'payloadBytes'>;

/** Rank 0 of a ring of two, in the hands of a test, and the real rank 1 that it deals with. */
export interface FakeNeighbour {
  readonly transport: Transport;
  /** Socket on which rank 0 sends to rank 1, and the stream under it. */
  readonly toRank1: WebSocket;
  readonly stream: Duplex;
  /** Socket on which rank 0 receives from rank 1. */
  readonly fromRank1: WebSocket;
  /** A frame of rank 0, correct but for what the fields say. */
  readonly sendFrame: (payload: Uint8Array, fields?: Partial<RingFrameHeader>) => void;
  close(): Promise<void>;
}

export const frameFields: FrameFields = {
  kind: 'data',
  operation: 'broadcast',
  attempt: FENCE.attempt,
  generation: FENCE.generation,
  rank: 0,
  sequence: 0,
  segment: 0,
};

export function encodeHeader(
  payload: Uint8Array,
  fields: Partial<RingFrameHeader> = {},
): Uint8Array {
  const { byteLength: payloadBytes } = payload;
  return encodeRingFrameHeader(
    { ...frameFields, payloadBytes, checksum: digest(payload), ...fields },
    crc32,
  );
}

export async function fakeNeighbour(segmentBytes = 1_024): Promise<FakeNeighbour> {
  const [own, theirs] = (await listenAll(2)) as [RingListener, RingListener];
  const accepted = new Promise<{ socket: WebSocket; stream: Duplex }>((resolve) => {
    own.register({
      fence: FENCE,
      rank: 0,
      nextRank: 1,
      ringToken: RING_TOKEN,
      isTaken: () => false,
      accept: (socket, stream) => {
        socket.on('error', () => undefined);
        resolve({ socket, stream });
      },
    });
  });
  const dialled = dialFrom(theirs.port);
  const transport = await connectRing({
    listener: theirs,
    fence: FENCE,
    rank: 1,
    members: [own, theirs].map(({ port }) => ({ host: LOOPBACK, port })),
    ringToken: RING_TOKEN,
    deadlineMs: 10_000,
    segmentBytes,
  });
  const { socket: toRank1, stream } = await accepted;
  const fromRank1 = await dialled;
  return {
    transport,
    toRank1,
    stream,
    fromRank1,
    sendFrame: (payload, fields) => {
      toRank1.send(encodeHeader(payload, fields));
      if (payload.byteLength > 0) toRank1.send(payload);
    },
    close: async () => {
      await transport.close();
      toRank1.terminate();
      fromRank1.terminate();
      await Promise.all([own.close(), theirs.close()]);
    },
  };
}

/** Resolves with the failure of a transport. */
export function failureOf(transport: Transport): Promise<CollectiveError> {
  return new Promise((resolve) => transport.onFailure(resolve));
}

/** Rank 0's dial of rank 1, by the client of `ws`; tried until rank 1 is ready. */
async function dialFrom(port: number): Promise<WebSocket> {
  for (;;) {
    const socket = new WebSocket(`ws://${LOOPBACK}:${port}${RING_PATH}`, {
      headers: dialHeaders({ fence: FENCE, from: 0, to: 1, ringToken: RING_TOKEN }),
      perMessageDeflate: false,
    });
    socket.on('error', () => undefined);
    const opened = await new Promise<boolean>((resolve) => {
      socket.once('open', () => {
        resolve(true);
      });
      socket.once('close', () => {
        resolve(false);
      });
    });
    if (opened) return socket;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
