import { SharedMemory } from '@skipring/collective';
import type { Collective } from '@skipring/trainer';
import type { CollectiveCall, NumberedMemory } from '../thread-messages.js';
import type { IoLink } from './io-link.js';

/** The trainer's collectives, run by the I/O thread over shared memory while this thread waits. */
export class RingCollective implements Collective {
  bytesSent = 0;
  busyMs = 0;

  constructor(
    private readonly link: Pick<IoLink, 'request'>,
    readonly rank: number,
    readonly worldSize: number,
  ) {}

  async allReduce(
    vector: Int32Array | Float32Array,
    deadlineMs: number,
    wire?: 'bfloat16',
  ): Promise<void> {
    await this.run({
      operation: 'allReduce',
      element: vector instanceof Int32Array ? 'int32' : 'float32',
      ...sharedPart(vector),
      length: vector.length,
      root: 0,
      isBfloat16: wire === 'bfloat16',
      deadlineMs,
    });
  }

  async broadcast(bytes: Uint8Array, root: number, deadlineMs: number): Promise<void> {
    await this.run({
      operation: 'broadcast',
      element: 'uint8',
      ...sharedPart(bytes),
      length: bytes.length,
      root,
      isBfloat16: false,
      deadlineMs,
    });
  }

  private async run(call: CollectiveCall): Promise<void> {
    if (this.worldSize === 1 || call.length === 0) return;
    const { bytesSent, busyMs } = await this.link.request({ kind: 'collective', call });
    this.bytesSent = bytesSent;
    this.busyMs = busyMs;
  }
}

function sharedPart(view: Int32Array | Float32Array | Uint8Array): {
  buffer: CollectiveCall['buffer'];
  byteOffset: number;
} {
  const { buffer, byteOffset } = view;
  if (!(buffer instanceof SharedArrayBuffer)) {
    throw new TypeError('a collective works in shared memory: expected a SharedArrayBuffer');
  }
  const home = SharedMemory.holding(buffer);
  return { buffer: home === null ? buffer : numbered(home), byteOffset };
}

const numbers = new WeakMap<SharedMemory, number>();
let numMemories = 0;

function numbered(home: SharedMemory): NumberedMemory {
  const id = numbers.get(home) ?? ++numMemories;
  numbers.set(home, id);
  return { id, memory: home.memory };
}
