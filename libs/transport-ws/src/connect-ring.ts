import { CollectiveError, SoloTransport, type Transport } from '@skipring/collective';
import type { Fence } from '@skipring/protocol';
import { dial, type DialTarget } from './dial.js';
import type { RingListener } from './ring-listener.js';
import type { SendInterceptor } from './send-interceptor.js';
import type { SilenceLimits } from './silence-watch.js';
import { WebSocketTransport } from './web-socket-transport.js';

export interface ConnectRingOptions {
  readonly listener: RingListener;
  readonly fence: Fence;
  readonly rank: number;
  /** Where each rank's listener is reached, by rank. */
  readonly members: readonly DialTarget[];
  /** Secret of this generation. */
  readonly ringToken: string;
  /** Both links must be open in this time. */
  readonly deadlineMs: number;
  /** Largest segment of collectives that name none; the same on all ranks. */
  readonly segmentBytes?: number | undefined;
  /** Vectors up to this size are exchanged whole; the same on all ranks. */
  readonly exchangeLimitBytes?: number | undefined;
  /** Above this many bytes that no collective has asked for, the rank stops reading; 64 MiB. */
  readonly maxHeldBytes?: number;
  /** Default: a silent neighbour is waited for until a collective's deadline. */
  readonly silence?: SilenceLimits | undefined;
  /** For faults on purpose. */
  readonly interceptor?: SendInterceptor | undefined;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_SEGMENT_BYTES = 1024 * 1024;

/**
 * Takes this rank's place in the ring of one generation: dials the previous rank, which will send
 * to it, and waits for the next rank to dial in. Resolves when both links are open; another rank's
 * may still fail to open, which then shows as a failure of this transport.
 *
 * @throws CollectiveError DEADLINE, STALE_GENERATION, UNAUTHORIZED, PROTOCOL, PEER_CLOSED, ABORTED
 *   or INVALID_ARGUMENT; nothing is left open.
 */
export async function connectRing(options: ConnectRingOptions): Promise<Transport> {
  const { listener, fence, rank, members, ringToken, deadlineMs, signal } = options;
  const worldSize = members.length;
  const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
  expectOptions(options, segmentBytes);
  const { maxPayloadBytes } = listener;
  let unregister: () => void = () => undefined;
  const transport = new WebSocketTransport({
    fence,
    rank,
    worldSize,
    segmentBytes,
    exchangeLimitBytes: options.exchangeLimitBytes,
    maxPayloadBytes,
    maxHeldBytes: options.maxHeldBytes,
    interceptor: options.interceptor,
    silence: options.silence,
    onEnd: () => {
      unregister();
    },
  });
  const target = members[transport.previousRank];
  if (target === undefined || worldSize === 1) return new SoloTransport();

  let settle: () => void = () => undefined;
  unregister = listener.register({
    fence,
    rank,
    nextRank: transport.nextRank,
    ringToken,
    isTaken: () => transport.hasOutgoing,
    accept: (socket, stream, slots) => {
      transport.attachOutgoing(socket, stream, slots);
      settle();
    },
  });
  const dialling = dial({
    target,
    tls: listener.tls,
    dialsLocally: listener.localName !== null,
    sharesMemory: listener.sharesMemory,
    fence,
    from: rank,
    to: transport.previousRank,
    ringToken,
    onOpen: (socket, slots) => {
      transport.attachIncoming(socket, slots);
      settle();
    },
    onRefused: (error) => {
      transport.abort(error);
    },
  });
  const timer = setTimeout(() => {
    const missing = transport.hasIncoming
      ? `rank ${transport.nextRank} has not dialled in`
      : `rank ${transport.previousRank} can't be reached (${dialling.lastProblem()})`;
    transport.abort(
      new CollectiveError('DEADLINE', `no ring within deadlineMs = ${deadlineMs}: ${missing}`, {
        rank: transport.hasIncoming ? transport.nextRank : transport.previousRank,
      }),
    );
  }, deadlineMs);
  const onSignal = () => {
    transport.abort(new CollectiveError('ABORTED', 'connecting was called off', { rank }));
  };
  signal?.addEventListener('abort', onSignal, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      transport.onFailure(reject);
      settle = () => {
        if (!transport.hasIncoming || !transport.hasOutgoing) return;
        transport.watchNeighbours();
        resolve();
      };
      if (signal?.aborted === true) onSignal();
    });
    return transport;
  } catch (error) {
    dialling.stop();
    await transport.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onSignal);
  }
}

function expectOptions(
  { rank, members, listener, exchangeLimitBytes = 0 }: ConnectRingOptions,
  segmentBytes: number,
): void {
  if (!Number.isInteger(rank) || rank < 0 || rank >= members.length) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `rank is ${rank}, expected 0 to ${members.length - 1}, as there are ${members.length} members`,
    );
  }
  if (!(segmentBytes >= 4 && segmentBytes <= listener.maxPayloadBytes)) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `segmentBytes is ${segmentBytes}, expected 4 to maxPayloadBytes = ${listener.maxPayloadBytes}`,
    );
  }
  if (!Number.isSafeInteger(exchangeLimitBytes) || exchangeLimitBytes < 0) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `exchangeLimitBytes is ${exchangeLimitBytes}, expected an integer of at least 0`,
    );
  }
}
