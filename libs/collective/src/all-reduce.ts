import { allGatherSteps, reduceScatterSteps, ringPass } from './ring-pass.js';
import { runCollective, segmentBytesOf, type CollectiveOptions } from './run-collective.js';
import type { Transport } from './transport.js';
import type { Vector } from './vector.js';

/**
 * Sums `vector`, of the same length and type on all ranks, in place over all ranks.
 *
 * The vector is cut into worldSize chunks, chunk c being elements floor(c n / worldSize) up to
 * floor((c + 1) n / worldSize); each rank sends and receives 2 (worldSize - 1) / worldSize of the
 * vector (ring reduce-scatter, then all-gather: Patarasuk and Yuan, 2009), pipelined by segment.
 *
 * Order of addition: chunk c is ((x[c+1] + x[c+2]) + x[c+3]) + ... + x[c], ranks counted modulo
 * worldSize. It depends on rank, worldSize and length only, never on timing or segment size, and
 * all ranks end with the same bits. int32 sums wrap modulo 2^32, so they do not depend on the order
 * at all; a float32 sum is rounded after each addition.
 *
 * @throws CollectiveError the transport's latched error; `vector` then holds partial sums.
 */
export function allReduce(
  transport: Transport,
  vector: Vector,
  options: CollectiveOptions,
): Promise<void> {
  return runCollective(transport, 'allReduce', options, (sequence) =>
    ringPass(transport, vector, {
      operation: 'allReduce',
      sequence,
      segmentBytes: segmentBytesOf(transport, options),
      steps: [
        ...reduceScatterSteps(transport.rank, transport.worldSize),
        ...allGatherSteps(transport.rank, transport.worldSize),
      ],
    }),
  );
}

/**
 * The first half of `allReduce`: afterwards chunk `rank` of `vector` holds the sum, and the other
 * chunks hold partial sums.
 *
 * @throws CollectiveError the transport's latched error.
 */
export function reduceScatter(
  transport: Transport,
  vector: Vector,
  options: CollectiveOptions,
): Promise<void> {
  return runCollective(transport, 'reduceScatter', options, (sequence) =>
    ringPass(transport, vector, {
      operation: 'reduceScatter',
      sequence,
      segmentBytes: segmentBytesOf(transport, options),
      steps: reduceScatterSteps(transport.rank, transport.worldSize),
    }),
  );
}

/**
 * The second half of `allReduce`: every rank contributes chunk `rank` of its `vector`; afterwards
 * all ranks hold all chunks.
 *
 * @throws CollectiveError the transport's latched error.
 */
export function allGather(
  transport: Transport,
  vector: Vector,
  options: CollectiveOptions,
): Promise<void> {
  return runCollective(transport, 'allGather', options, (sequence) =>
    ringPass(transport, vector, {
      operation: 'allGather',
      sequence,
      segmentBytes: segmentBytesOf(transport, options),
      steps: allGatherSteps(transport.rank, transport.worldSize),
    }),
  );
}
