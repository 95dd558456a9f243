import type { Duplex } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { CollectiveError, Transport } from '@skipring/collective';
import { encodeRingFrameHeader, type RingFrameHeader } from '@skipring/protocol';
import type { WebSocket } from 'ws';
import { connectRing } from '../connect-ring.js';
import { dial } from '../dial.js';
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
  readonly sendFrame: (payload: Uint8Array, fields?: Partial<FrameFields>) => void;
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

export function encodeHeader(payload: Uint8Array, fields: Partial<FrameFields> = {}): Uint8Array {
  return encodeRingFrameHeader({ ...frameFields, ...fields }, payload, crc32);
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
  const dialled = new Promise<WebSocket>((resolve, reject) => {
    dial({
      target: { host: LOOPBACK, port: theirs.port },
      fence: FENCE,
      from: 0,
      to: 1,
      ringToken: RING_TOKEN,
      maxPayloadBytes: 1_000_000,
      onOpen: (socket) => {
        socket.on('error', () => undefined);
        resolve(socket);
      },
      onRefused: reject,
    });
  });
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
