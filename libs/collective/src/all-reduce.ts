import { BFLOAT16_BYTES, type Rounding } from './bfloat16.js';
import { CollectiveError } from './collective-error.js';
import { exchange } from './exchange.js';
import {
  allGatherSteps,
  pipelinedSegmentBytes,
  reduceScatterSteps,
  ringPass,
  type HalfHook,
  type RingStep,
} from './ring-pass.js';
import { runCollective, segmentBytesOf, type CollectiveOptions } from './run-collective.js';
import type { Transport } from './transport.js';
import type { Reduction, Vector } from './vector.js';

export interface ReduceOptions extends CollectiveOptions {
  /** Default: sum. */
  readonly reduction?: Reduction;
}

export interface AllReduceOptions extends ReduceOptions {
  /** The same on all ranks; default: `exchange` up to the transport's `exchangeLimitBytes`, else `ring`. */
  readonly algorithm?: 'ring' | 'exchange';
  /** Told before the first segment of each half of `ring` is sent, which waits for it. */
  readonly onHalf?: HalfHook;
  /**
   * Reduces a float32 vector with bfloat16 on the wire, rounded so, by the `ring`: half the bytes. Every
   * partial sum is rounded once more on its way, at most worldSize times; all ranks end with the same
   * bits, which for a sum do depend on worldSize. A maximum to nearest is the maximum, rounded.
   */
  readonly bfloat16?: Rounding;
}

/**
 * Reduces `vector`, of the same length and type on all ranks, in place over all ranks. All ranks end
 * with the same bits, whatever the timing and the segment size. Two algorithms:
 *
 * `ring`, for bandwidth: the vector is cut into worldSize chunks, chunk c being elements
 * floor(c n / worldSize) up to floor((c + 1) n / worldSize); each rank sends and receives
 * 2 (worldSize - 1) / worldSize of the vector (reduce-scatter, then all-gather: Patarasuk and Yuan,
 * 2009), pipelined by segment. Order of addition: chunk c is
 * ((x[c+1] + x[c+2]) + x[c+3]) + ... + x[c], ranks counted modulo worldSize.
 *
 * `exchange`, for latency: every rank's vector goes around, in worldSize - 1 steps instead of
 * 2 (worldSize - 1), and every rank reduces by itself. Order of addition:
 * ((x[0] + x[1]) + x[2]) + ...
 *
 * Integer sums wrap, so they do not depend on the order or the algorithm at all; a float32 sum is
 * rounded after each addition.
 *
 * @throws CollectiveError the transport's latched error; `vector` is then undefined.
 */
export function allReduce(
  transport: Transport,
  vector: Vector,
  options: AllReduceOptions,
): Promise<void> {
  const isSmall = vector.byteLength <= transport.exchangeLimitBytes;
  const algorithm =
    options.algorithm ?? (isSmall && options.bfloat16 === undefined ? 'exchange' : 'ring');
  return runCollective(transport, 'allReduce', options, (sequence) => {
    expectWire(vector, options, algorithm);
    return algorithm === 'exchange'
      ? exchange(transport, vector, {
          sequence,
          segmentBytes: segmentBytesOf(transport, options),
          reduction: options.reduction ?? 'sum',
        })
      : pass(transport, vector, options, 'allReduce', sequence, [
          ...reduceScatterSteps(transport.rank, transport.worldSize),
          ...allGatherSteps(transport.rank, transport.worldSize),
        ]);
  });
}

/**
 * The first half of a `ring` allReduce: afterwards chunk `rank` of `vector` holds the result, and
 * the other chunks hold partial ones.
 *
 * @throws CollectiveError the transport's latched error; `vector` is then undefined.
 */
export function reduceScatter(
  transport: Transport,
  vector: Vector,
  options: ReduceOptions,
): Promise<void> {
  return runCollective(transport, 'reduceScatter', options, (sequence) =>
    pass(
      transport,
      vector,
      options,
      'reduceScatter',
      sequence,
      reduceScatterSteps(transport.rank, transport.worldSize),
    ),
  );
}

/**
 * The second half of a `ring` allReduce: every rank contributes chunk `rank` of its `vector`;
 * afterwards all ranks hold all chunks.
 *
 * @throws CollectiveError the transport's latched error; `vector` is then undefined.
 */
export function allGather(
  transport: Transport,
  vector: Vector,
  options: CollectiveOptions,
): Promise<void> {
  return runCollective(transport, 'allGather', options, (sequence) =>
    pass(
      transport,
      vector,
      options,
      'allGather',
      sequence,
      allGatherSteps(transport.rank, transport.worldSize),
    ),
  );
}

function expectWire(
  vector: Vector,
  { bfloat16 }: AllReduceOptions,
  algorithm: 'ring' | 'exchange',
): void {
  if (bfloat16 === undefined) return;
  if (vector instanceof Float32Array && algorithm === 'ring') return;
  throw new CollectiveError(
    'INVALID_ARGUMENT',
    `bfloat16 is ${bfloat16.mode}, expected none: it is for float32 by ring`,
  );
}

function pass(
  transport: Transport,
  vector: Vector,
  options: AllReduceOptions,
  operation: 'allReduce' | 'reduceScatter' | 'allGather',
  sequence: number,
  steps: readonly RingStep[],
): Promise<void> {
  const maxSegmentBytes = segmentBytesOf(transport, options);
  const reduction = options.reduction ?? 'sum';
  const { onHalf, bfloat16 } = options;
  const wireBytes = bfloat16 === undefined ? vector.byteLength : BFLOAT16_BYTES * vector.length;
  const segmentBytes =
    options.segmentBytes ?? pipelinedSegmentBytes(maxSegmentBytes, wireBytes, transport.worldSize);
  return ringPass(transport, vector, {
    operation,
    sequence,
    segmentBytes,
    steps,
    reduction,
    onHalf,
    bfloat16,
  });
}
