import type { ActivationStatistics } from './engine.js';
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
}

export interface AddedLanes {
  /** The first lane with a NaN or an infinity. */
  readonly badLane: number | null;
  readonly samples: number;
  readonly activations: ActivationStatistics | null;
}

/** Computes lanes one after the other and leaves their sum in `vector`, shape [layout.length]. */
export async function addLanes(
  g: Generation,
  vector: Int32Array | Float32Array,
  { lanes, step, exponents, isProbed = false }: LaneWork,
  watch: Stopwatch,
): Promise<AddedLanes> {
  const { engine } = g.state;
  let badLane: number | null = null;
  let samples = 0;
  let activations: ActivationStatistics | null = null;
  vector.fill(0);
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
    const yielded = await watch.time('computeMs', async () => {
      await g.onPhase('compute', step + 1);
      const term = engine.forwardBackward(batch, exponents, g.spec.lanes.count, seed);
      add(vector, term);
      return term;
    });
    if (badLane === null && readNonFinite(yielded, engine.layout).length > 0) badLane = lane;
    await g.clock.turn();
  }
  return { badLane, samples, activations };
}

function add(sum: Int32Array | Float32Array, term: Int32Array | Float32Array): void {
  const { length } = sum;
  for (let i = 0; i < length; i++) sum[i] = (sum[i] ?? 0) + (term[i] ?? 0);
}
