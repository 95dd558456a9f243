import { allReduce, type AllReduceOptions } from '../all-reduce.js';
import { barrier } from '../barrier.js';
import { pipelinedSegmentBytes } from '../ring-pass.js';
import type { Transport } from '../transport.js';
import { SharedMemory } from '../wasm/shared-memory.js';
import {
  bestExchangeLimit,
  bestSegmentBytes,
  type AlgorithmCost,
  type SegmentCost,
} from './settings.js';

const KIB = 1_024;
/** 1 KiB to 1 MiB. */
const ALGORITHM_SIZES = Array.from({ length: 11 }, (_, i) => KIB * 2 ** i);
const SEGMENT_SIZES = [128 * KIB, 256 * KIB, 512 * KIB, 1_024 * KIB];
const VECTOR_SIZES = [4e6, 32e6];
/** Blocks of each alternative, a, b, a, b, ..., so that a change in the network's speed meets all. */
const NUM_TURNS = 9;
const MAX_BLOCK = 200;

export interface TuneOptions {
  /** Of each collective. */
  readonly deadlineMs: number;
  /** What measuring one size may take, about; slow networks take longer. Default: 1,000. */
  readonly budgetMs?: number;
  /** Sizes of vectors, multiples of 4; default: 1 KiB to 1 MiB, and 4 MB and 32 MB. */
  readonly algorithmSizes?: readonly number[];
  readonly vectorSizes?: readonly number[];
  /** Told after each size. */
  readonly onProgress?: (numDone: number, numSizes: number) => void;
}

/** What a transport is made with. */
export type RingParameters = Pick<Transport, 'exchangeLimitBytes' | 'segmentBytes'>;

/** Costs of an int32 all-reduce, medians of the slowest rank, and what follows; the same on all ranks. */
export interface RingTuning {
  readonly worldSize: number;
  readonly algorithms: readonly AlgorithmCost[];
  readonly segments: readonly SegmentCost[];
  /** Of the transport that was measured. */
  readonly present: RingParameters;
  readonly best: RingParameters;
}

/**
 * Measures what all-reduces cost on this ring, by either algorithm and with segments of several sizes.
 * All ranks call it together, with the same options.
 *
 * @throws CollectiveError the transport's latched error
 */
export async function tuneRing(transport: Transport, options: TuneOptions): Promise<RingTuning> {
  const { worldSize, exchangeLimitBytes, segmentBytes } = transport;
  const { algorithmSizes = ALGORITHM_SIZES, vectorSizes = VECTOR_SIZES, onProgress } = options;
  const memory = SharedMemory.allocate(Math.max(...algorithmSizes, ...vectorSizes));
  const numSizes = algorithmSizes.length + vectorSizes.length;
  let numDone = 0;
  const measureAll = async (bytes: number, how: readonly Alternative[]): Promise<number[]> => {
    const vector = new Int32Array(memory.buffer, memory.dataOffset, bytes / 4);
    const times = await measure(transport, vector, how, options);
    onProgress?.(++numDone, numSizes);
    return times;
  };

  const algorithms: AlgorithmCost[] = [];
  const how = [{ algorithm: 'exchange' }, { algorithm: 'ring' }] as const;
  // What the engine compiles while it is new is no cost of the first size.
  const smallest = Math.min(...algorithmSizes) / 4;
  await measure(
    transport,
    new Int32Array(memory.buffer, memory.dataOffset, smallest),
    how,
    options,
  );
  for (const bytes of algorithmSizes) {
    const [exchangeMs = 0, ringMs = 0] = await measureAll(bytes, how);
    algorithms.push({ bytes, exchangeMs, ringMs });
  }
  const segments: SegmentCost[] = [];
  const limits = [...new Set([...SEGMENT_SIZES, segmentBytes])];
  for (const bytes of vectorSizes) {
    const cuts = limits.map((limit) => ({
      algorithm: 'ring' as const,
      segmentBytes: pipelinedSegmentBytes(limit, bytes, worldSize),
    }));
    const times = await measureAll(bytes, cuts);
    segments.push(...limits.map((limit, i) => ({ bytes, segmentBytes: limit, ms: times[i] ?? 0 })));
  }
  return {
    worldSize,
    algorithms,
    segments,
    present: { exchangeLimitBytes, segmentBytes },
    best: {
      exchangeLimitBytes: bestExchangeLimit(algorithms, exchangeLimitBytes),
      segmentBytes: bestSegmentBytes(segments, segmentBytes),
    },
  };
}

type Alternative = Pick<AllReduceOptions, 'algorithm' | 'segmentBytes'>;

/** Median milliseconds of each alternative. Every rank runs as many, by what all have agreed on. */
async function measure(
  transport: Transport,
  vector: Int32Array,
  alternatives: readonly Alternative[],
  { deadlineMs, budgetMs = 1_000 }: TuneOptions,
): Promise<number[]> {
  const block = async (how: Alternative, length: number): Promise<number> => {
    await barrier(transport, { deadlineMs });
    const beganMs = performance.now();
    for (let i = 0; i < length; i++) await allReduce(transport, vector, { ...how, deadlineMs });
    return (performance.now() - beganMs) / length;
  };
  // The first of each warms up, the second tells how many fit.
  const probes: number[] = [];
  for (const how of [...alternatives, ...alternatives]) probes.push(await block(how, 1));
  const once = await slowest(transport, probes.slice(alternatives.length), deadlineMs);
  const turnMs = once.reduce((sum, ms) => sum + ms, 0);
  const length = Math.min(MAX_BLOCK, Math.max(1, Math.floor(budgetMs / NUM_TURNS / turnMs)));
  const times: number[] = [];
  for (let turn = 0; turn < NUM_TURNS; turn++) {
    for (const how of alternatives) times.push(await block(how, length));
  }
  const agreed = await slowest(transport, times, deadlineMs);
  return alternatives.map((_, i) =>
    median(agreed.filter((__, at) => at % alternatives.length === i)),
  );
}

/** Of each time, that of the rank which took longest. */
async function slowest(
  transport: Transport,
  times: readonly number[],
  deadlineMs: number,
): Promise<number[]> {
  const largest = Float32Array.from(times);
  await allReduce(transport, largest, { deadlineMs, reduction: 'max' });
  return [...largest];
}

/** Of an odd number of values. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) / 2] ?? NaN;
}
