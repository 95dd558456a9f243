import {
  allReduce,
  broadcast,
  SharedMemory,
  type CollectiveError,
  type Transport,
} from '@skipring/collective';
import { MAX_SEGMENT_BYTES, type Fence, type RingSettings } from '@skipring/protocol';
import {
  connectRing,
  RingListener,
  type RingTls,
  type SilenceLimits,
} from '@skipring/transport-ws';
import type { RingFaults } from '../faults/ring-faults.js';
import type { CollectiveCall, IoRequest, RingTraffic } from '../thread-messages.js';
import { BusyTime } from './busy-time.js';

export interface RingSessionOptions {
  /** Whether workers on this machine are met over local sockets. */
  readonly localSockets: boolean;
  readonly sharedMemory: boolean;
  /** Null: it takes no faults. */
  readonly faults: Pick<RingFaults, 'reach' | 'intercept' | 'reset'> | null;
  /** When a neighbour counts as gone; null before the coordinator has said so. */
  readonly silence: () => SilenceLimits | null;
  /** What the coordinator has said last; the same for all members of a ring. */
  readonly settings: () => RingSettings;
  /** The ring of a generation broke: once for each. */
  readonly onBroken: (fence: Fence, error: CollectiveError) => void;
  /** This worker goes out of the ring of a generation, broken or whole. */
  readonly onLeft: (fence: Fence) => void;
}

/** This worker's part of one generation's ring, and the listener that outlives generations. */
export class RingSession {
  private transport: Transport | null = null;
  /** Of the current ring. */
  private fence: Fence | null = null;
  /** Worker ids of the current ring, by rank. */
  private members: readonly string[] = [];
  private connecting: AbortController | null = null;
  private busy = new BusyTime();
  /** What the compute thread has asked to reduce in this ring, by its number. */
  private readonly memories = new Map<number, SharedMemory>();

  private constructor(
    private readonly listener: RingListener,
    private readonly options: RingSessionOptions,
  ) {}

  static async listen(
    host: string,
    port: number,
    tls: RingTls | null,
    options: RingSessionOptions,
  ): Promise<RingSession> {
    const listener = await RingListener.listen({
      host,
      port,
      maxPayloadBytes: MAX_SEGMENT_BYTES,
      tls,
      localSockets: options.localSockets,
      sharedMemory: options.sharedMemory,
    });
    return new RingSession(listener, options);
  }

  get port(): number {
    return this.listener.port;
  }

  /** See `RingListener`. */
  get localName(): string | null {
    return this.listener.localName;
  }

  get traffic(): RingTraffic {
    return { bytesSent: this.transport?.bytesSent ?? 0, busyMs: this.busy.ms };
  }

  /** From whom this worker receives in the current ring, and how fast, once that was seen. */
  get incomingLink(): { from: string; bytesPerSecond: number } | undefined {
    const { transport, members } = this;
    const bytesPerSecond = transport?.incomingBytesPerSecond ?? null;
    if (transport === null || bytesPerSecond === null) return undefined;
    const from = members[(transport.rank + members.length - 1) % members.length];
    return from === undefined ? undefined : { from, bytesPerSecond };
  }

  async connect(request: Extract<IoRequest, { kind: 'connectRing' }>): Promise<void> {
    const disconnected = this.disconnect();
    // Before any wait, so that `disconnect` can call this off from now on.
    const connecting = new AbortController();
    this.connecting = connecting;
    await disconnected;
    this.busy = new BusyTime();
    this.members = request.members.map(({ workerId }) => workerId);
    const { faults, silence, settings, onBroken } = this.options;
    faults?.reset();
    this.transport = await connectRing({
      listener: this.listener,
      fence: request.fence,
      rank: request.rank,
      members: request.members,
      ringToken: request.ringToken,
      deadlineMs: request.deadlineMs,
      ...settings(),
      signal: connecting.signal,
      silence: silence() ?? undefined,
      interceptor: faults === null ? undefined : (key, bytes) => faults.intercept(key, bytes),
    });
    this.fence = request.fence;
    this.transport.onFailure((error) => {
      onBroken(request.fence, error);
    });
  }

  async run(call: CollectiveCall): Promise<void> {
    const { busy } = this;
    busy.begin();
    try {
      await this.runNow(call);
    } finally {
      busy.end();
    }
  }

  private async runNow(call: CollectiveCall): Promise<void> {
    const { transport } = this;
    if (transport === null) throw new RingAbsentError();
    const { byteOffset, length, deadlineMs } = call;
    const buffer = this.bufferOf(call.buffer);
    switch (call.operation) {
      case 'broadcast':
        await broadcast(transport, new Uint8Array(buffer, byteOffset, length), call.root, {
          deadlineMs,
        });
        return;
      case 'allReduce': {
        const vector =
          call.element === 'int32'
            ? new Int32Array(buffer, byteOffset, length)
            : new Float32Array(buffer, byteOffset, length);
        const { faults } = this.options;
        await allReduce(transport, vector, {
          deadlineMs,
          ...(call.isBfloat16 && { bfloat16: { mode: 'nearest' } }),
          ...(faults && { onHalf: (half) => faults.reach(half) }),
        });
        return;
      }
    }
  }

  /** Leaves the ring, or gives up connecting; with an operation under way, that aborts it. */
  async disconnect(): Promise<void> {
    const { transport, fence } = this;
    this.connecting?.abort();
    this.transport = null;
    if (transport !== null && fence !== null) this.options.onLeft(fence);
    this.memories.clear();
    await transport?.close();
  }

  private bufferOf(buffer: CollectiveCall['buffer']): SharedArrayBuffer {
    if (buffer instanceof SharedArrayBuffer) return buffer;
    const memory = this.memories.get(buffer.id) ?? SharedMemory.of(buffer.memory);
    this.memories.set(buffer.id, memory);
    return memory.buffer;
  }

  async close(): Promise<void> {
    await this.disconnect();
    await this.listener.close();
  }
}

/** A collective was asked for outside a generation. */
export class RingAbsentError extends Error {
  override readonly name = 'RingAbsentError';
  readonly code = 'RING_ABSENT';
  constructor() {
    super('this worker is in no ring: its generation was left or never joined');
  }
}
