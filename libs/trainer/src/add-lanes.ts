import type { ActivationStatistics, HeldSum, VectorPart } from './engine.js';
import type { Generation } from './generation.js';
import { laneSeed } from './lane-seed.js';
import { readNonFinite } from './reduced-vector.js';
import type { Stopwatch } from './stopwatch.js';

/** The lane whose activations are looked at: it has samples in every step, on any cluster. */
const PROBED_LANE = 0;

/** Which lanes of which step to compute, and how. */
export interface LaneWork {
  /** Of this rank; the batch source yields them in this order. */
  readonly lanes: readonly number[];
  /** Steps before this one. */
  readonly step: number;
  /** Fixed-point exponent of each slot, shape [numSlots]. */
  readonly exponents: Int32Array;
  /** Whether the activations of lane 0 are looked at. */
  readonly isProbed?: boolean;
  /** Where the sum stays; absent or null: it is handed out. */
  readonly held?: HeldSum | null;
}

export interface AddedLanes {
  /** The first lane with a NaN or an infinity. */
  readonly badLane: number | null;
  readonly samples: number;
  readonly activations: ActivationStatistics | null;
  /** Largest magnitude in each slot of a sum that is held, shape [numSlots]; null of others, and of none. */
  readonly maxima: Int32Array | null;
}

/**
 * Computes lanes one after the other and leaves their sum in `vector`, shape [layout.length]; of a sum
 * that is held, metrics and flags alone.
 *
 * @param onBucket told of each bucket whose sum is complete while the rest of the last lane is still
 *   to be computed, which waits for it; of none where that lane has no samples
 */
export async function addLanes(
  g: Generation,
  vector: Int32Array | Float32Array,
  { lanes, step, exponents, isProbed = false, held = null }: LaneWork,
  watch: Stopwatch,
  onBucket: ((bucket: number) => Promise<void>) | null = null,
): Promise<AddedLanes> {
  const { engine } = g.state;
  const { layout } = engine;
  let badLane: number | null = null;
  let samples = 0;
  let activations: ActivationStatistics | null = null;
  let maxima: Int32Array | null = null;
  vector.fill(0, held === null ? 0 : layout.metricsOffset);
  for (const lane of lanes) {
    const batch = await watch.time('dataWaitMs', async () => {
      await g.onPhase('dataFetch', step + 1);
      return g.batches.next(lane);
    });
    if (batch.samples === 0) continue;
    samples += batch.samples;
    const seed = laneSeed(g.spec.seed, step, lane);
    if (isProbed && lane === PROBED_LANE) {
      const look = () => engine.probe?.activations(batch, seed) ?? null;
      activations = await watch.time('computeMs', look);
    }
    await watch.time('computeMs', async () => {
      await g.onPhase('compute', step + 1);
      if (held !== null) {
        const { count } = g.spec.lanes;
        const sum = held.add(batch, exponents, count, seed, maxima === null);
        ({ maxima } = sum);
        vector.set(sum.tail, layout.metricsOffset);
        await g.clock.turn();
        return;
      }
      const segments = engine.segments(batch, exponents, g.spec.lanes.count, seed);
      let bucket = 0;
      for (const parts of segments) {
        for (const part of parts) add(vector, part);
        if (onBucket !== null && lane === lanes.at(-1)) await onBucket(bucket);
        bucket += 1;
        await g.clock.turn();
      }
    });
    if (badLane === null && readNonFinite(vector, layout).length > 0) badLane = lane;
  }
  return { badLane, samples, activations, maxima };
}

function add(sum: Int32Array | Float32Array, { offset, values }: VectorPart): void {
  const { length } = values;
  for (let i = 0; i < length; i++) sum[offset + i] = (sum[offset + i] ?? 0) + (values[i] ?? 0);
}
