export { CollectiveError, type CollectiveErrorCode } from './collective-error.js';
export type { Accumulator, SegmentKey, Sink, Transport } from './transport.js';
export { InboxTransport, type InboxTransportOptions } from './inbox-transport.js';
export { SoloTransport } from './solo-transport.js';
export { inProcessGroup } from './in-process-transport.js';
export type { GroupOptions, MakeGroup, TransportGroup } from './transport-group.js';
export type { CollectiveOptions } from './run-collective.js';
export { chunkRange, type Range } from './chunks.js';
export type { Reduction, Vector } from './vector.js';
export {
  allGather,
  allReduce,
  reduceScatter,
  type AllReduceOptions,
  type ReduceOptions,
} from './all-reduce.js';
export { packBfloat16, unpackBfloat16, type Rounding } from './bfloat16.js';
export { EXCHANGE_LIMIT_BYTES } from './exchange.js';
export {
  tuneRing,
  type RingParameters,
  type RingTuning,
  type TuneOptions,
} from './tuning/tune-ring.js';
export type { AlgorithmCost, SegmentCost } from './tuning/settings.js';
export { digest } from './digest.js';
export type { PayloadSource } from './intake.js';
export { SharedMemory } from './wasm/shared-memory.js';
export type { WebAssemblyMemory } from './wasm/web-assembly.js';
export { broadcast } from './broadcast.js';
export { gather } from './gather.js';
export { barrier } from './barrier.js';
