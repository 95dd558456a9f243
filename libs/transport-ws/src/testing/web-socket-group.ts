import type { GroupOptions, TransportGroup } from '@skipring/collective';
import type { Fence } from '@skipring/protocol';
import { connectRing } from '../connect-ring.js';
import { RingListener, type RingListenerOptions } from '../ring-listener.js';
import type { RingTls } from '../ring-tls.js';

export const RING_TOKEN = 'a token of sixteen or more characters';
export const FENCE: Fence = { jobId: 'job-1', attempt: 1, generation: 1 };
export const LOOPBACK = '127.0.0.1';

export function listenAll(
  numListeners: number,
  options: Pick<RingListenerOptions, 'tls' | 'sharedMemory'> = {},
): Promise<RingListener[]> {
  return Promise.all(
    Array.from({ length: numListeners }, () =>
      RingListener.listen({ host: LOOPBACK, port: 0, ...options }),
    ),
  );
}

/** Connects one rank per listener over loopback, or local sockets; the listeners stay the caller's. */
export async function connectAll(
  listeners: readonly RingListener[],
  options: Partial<GroupOptions> & { fence?: Fence } = {},
  isLocal = false,
) {
  const members = listeners.map(({ port, localName }) => ({
    host: LOOPBACK,
    port,
    ...(isLocal && localName !== null && { localName }),
  }));
  return Promise.all(
    listeners.map((listener, rank) =>
      connectRing({
        listener,
        fence: FENCE,
        rank,
        members,
        ringToken: RING_TOKEN,
        deadlineMs: 20_000,
        ...options,
      }),
    ),
  );
}

/** A ring of WebSockets on this machine, one listener per rank. */
export async function webSocketGroup(
  worldSize: number,
  options: GroupOptions,
  {
    tls = null,
    isLocal = false,
    sharedMemory = true,
  }: { tls?: RingTls | null; isLocal?: boolean; sharedMemory?: boolean } = {},
): Promise<TransportGroup> {
  const listeners = await listenAll(worldSize, { tls, sharedMemory });
  const transports = await connectAll(listeners, options, isLocal);
  return {
    transports,
    crash: (rank) => {
      void listeners[rank]?.close();
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}
