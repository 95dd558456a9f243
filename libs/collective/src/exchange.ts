import { segmentRanges } from './chunks.js';
import { combine } from './combine.js';
import { expectSegmentCount, SEND_WINDOW } from './ring-pass.js';
import { SendWindow } from './send-window.js';
import type { Transport } from './transport.js';
import { bytesOf, kernelFor, type Reduction, type Vector } from './vector.js';

/**
 * Vectors up to this size are faster with fewer steps than with fewer bytes; measured on loopback with 2
 * and 4 ranks. `tuneRing` finds the limit of another network.
 */
export const EXCHANGE_LIMIT_BYTES = 16 * 1024;

interface Exchange {
  readonly sequence: number;
  readonly segmentBytes: number;
  readonly reduction: Reduction;
}

/** Sends every rank's vector around the ring and reduces all of them here, in order of rank. */
export async function exchange(
  transport: Transport,
  vector: Vector,
  { sequence, segmentBytes, reduction }: Exchange,
): Promise<void> {
  const { rank, worldSize } = transport;
  const kernel = kernelFor(vector, reduction);
  const whole = bytesOf(vector);
  const ranges = segmentRanges({ begin: 0, end: whole.byteLength }, segmentBytes);
  expectSegmentCount(ranges.length * (worldSize - 1), segmentBytes);

  /** Where the vector of each rank is; this rank's own stays in place until all have arrived. */
  const vectors = Array.from({ length: worldSize }, (_, owner) =>
    owner === rank ? whole : new Uint8Array(whole.byteLength),
  );
  const ownerAt = (step: number) => vectors[(rank + worldSize - step) % worldSize] ?? whole;
  const segments = Array.from({ length: worldSize - 1 }, (_, step) =>
    ranges.map(({ begin, end }, index) => ({
      key: { operation: 'allReduce', sequence, segment: step * ranges.length + index } as const,
      outgoing: ownerAt(step).subarray(begin, end),
      incoming: ownerAt(step + 1).subarray(begin, end),
    })),
  ).flat();
  const arrivals = segments.map(({ key, incoming }) => transport.receive(key, incoming));
  await Promise.all([...arrivals, sendAll()]);

  const result = vectors[0] ?? whole;
  for (const next of vectors.slice(1)) combine(kernel, result, next);
  if (result !== whole) whole.set(result);

  async function sendAll(): Promise<void> {
    const window = new SendWindow(SEND_WINDOW);
    for (const { key, outgoing } of segments) {
      // What goes out after this rank's own vector is what came in, in the same order.
      const checksum = await arrivals[key.segment - ranges.length];
      await window.push(() => transport.send(key, outgoing, checksum));
    }
    await window.drain();
  }
}
