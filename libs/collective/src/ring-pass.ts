import type { RingOperation } from '@skipring/protocol';
import type { Rounding } from './bfloat16.js';
import { chunkRange, segmentRanges } from './chunks.js';
import { CollectiveError } from './collective-error.js';
import { SendWindow } from './send-window.js';
import { MAX_SEGMENTS, type Transport } from './transport.js';
import { withStaging, type Reduction, type Vector } from './vector.js';
import { bfloat16Wire, plainWire } from './wire.js';

/** Sends queued on a link at once, per collective. */
export const SEND_WINDOW = 8;

/** One of the worldSize - 1 steps that a reduce-scatter or an all-gather takes. */
export interface RingStep {
  readonly sendChunk: number;
  /** What the next step sends: a segment is passed on as soon as it is here. */
  readonly receiveChunk: number;
  readonly combine: 'reduce' | 'replace';
}

/** Steps after which rank r holds the sum of chunk r. */
export function reduceScatterSteps(rank: number, worldSize: number): RingStep[] {
  return ringSteps(rank - 1, worldSize, 'reduce');
}

/** Steps after which every rank holds every chunk, when rank r began with chunk r. */
export function allGatherSteps(rank: number, worldSize: number): RingStep[] {
  return ringSteps(rank, worldSize, 'replace');
}

function ringSteps(firstChunk: number, worldSize: number, combine: RingStep['combine']) {
  const chunk = (index: number) => (((firstChunk - index) % worldSize) + worldSize) % worldSize;
  return Array.from({ length: worldSize - 1 }, (_, step): RingStep => ({
    sendChunk: chunk(step),
    receiveChunk: chunk(step + 1),
    combine,
  }));
}

const MIN_PIPELINED_BYTES = 64 * 1024;

/**
 * The size of segments that a vector is best cut into: large ones cost less time each, but a chunk
 * should have two of them, so that one is on its way while the other is worked on; and equal ones, so
 * that none waits for a longer one. Measured.
 */
export function pipelinedSegmentBytes(
  maxSegmentBytes: number,
  vectorBytes: number,
  worldSize: number,
): number {
  const chunkBytes = vectorBytes / worldSize;
  const numSegments = Math.max(2, Math.ceil(chunkBytes / maxSegmentBytes));
  // A multiple of 64 keeps segments of a vector aligned alike.
  const equal = 64 * Math.ceil(chunkBytes / numSegments / 64);
  return Math.min(maxSegmentBytes, Math.max(MIN_PIPELINED_BYTES, equal));
}

export type HalfHook = (half: 'reduceScatter' | 'allGather') => Promise<void>;

interface RingPass {
  readonly operation: RingOperation;
  readonly sequence: number;
  readonly segmentBytes: number;
  readonly steps: readonly RingStep[];
  readonly reduction: Reduction;
  readonly onHalf: HalfHook | undefined;
  /** Of float32; absent: elements cross as they are. */
  readonly bfloat16?: Rounding | undefined;
}

/**
 * Works through the steps, pipelined by segment. A segment is never overwritten before it is sent:
 * its next value comes around the ring as an effect of that very send.
 */
export function ringPass(transport: Transport, vector: Vector, pass: RingPass): Promise<void> {
  return withStaging(vector, (staging) => ringPassWith(staging, transport, vector, pass));
}

async function ringPassWith(
  staging: Uint8Array | null,
  transport: Transport,
  vector: Vector,
  { operation, sequence, segmentBytes, steps, reduction, onHalf, bfloat16 }: RingPass,
): Promise<void> {
  const wire =
    bfloat16 !== undefined && vector instanceof Float32Array
      ? bfloat16Wire(vector, bfloat16, reduction, staging)
      : plainWire(vector, reduction, staging);
  const segmentLength = Math.max(1, Math.floor(segmentBytes / wire.elementBytes));
  const segmentsOf = (chunk: number) =>
    segmentRanges(chunkRange(vector.length, transport.worldSize, chunk), segmentLength);
  const first = steps[0];
  const own = first === undefined ? [] : segmentsOf(first.sendChunk);
  // After this rank's own chunk, what goes out is what came in, in the same order.
  const numOwn = own.length;
  const incoming = steps.flatMap(({ receiveChunk, combine }) =>
    segmentsOf(receiveChunk).map((range) => ({ range, combine })),
  );
  const outgoing = steps.flatMap(({ sendChunk, combine }) =>
    segmentsOf(sendChunk).map((range) => ({ range, combine })),
  );
  expectSegmentCount(Math.max(incoming.length, outgoing.length), segmentBytes);

  const arrivals = incoming.map(({ range, combine }, segment) => {
    const onward = numOwn + segment;
    const sentTo = outgoing[onward]?.combine ?? null;
    return transport.receive(
      { operation, sequence, segment },
      wire.sink({ range, combine, segment: onward, sentTo }),
    );
  });
  try {
    await Promise.all([sendAll(), ...arrivals]);
  } finally {
    wire.close();
  }

  async function sendAll(): Promise<void> {
    const window = new SendWindow(SEND_WINDOW);
    let half: RingStep['combine'] | null = null;
    for (const [segment, { range, combine }] of outgoing.entries()) {
      if (combine !== half) {
        half = combine;
        await onHalf?.(combine === 'reduce' ? 'reduceScatter' : 'allGather');
      }
      const checksum = segment >= numOwn ? await arrivals[segment - numOwn] : undefined;
      await window.push(async () => {
        if (segment < numOwn && transport.failed === null) wire.pack(range, segment);
        await transport.send({ operation, sequence, segment }, wire.payload(range), checksum);
        if (combine === 'replace') wire.finish(range);
      });
    }
    await window.drain();
  }
}

/** @throws CollectiveError INVALID_ARGUMENT if the segments are too small for this vector. */
export function expectSegmentCount(numSegments: number, segmentBytes: number): void {
  if (numSegments > MAX_SEGMENTS) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `segmentBytes is ${segmentBytes}, which makes ${numSegments} segments; ` +
        `expected at most ${MAX_SEGMENTS}`,
    );
  }
}
