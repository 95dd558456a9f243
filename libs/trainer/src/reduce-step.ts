import { samplesInStep, stepInEpoch } from '@skipring/data';
import { TrainerError } from './errors.js';
import { backedOffExponents } from './exponents.js';
import { gather } from './gather.js';
import type { Generation } from './generation.js';
import { laneSeed } from './lane-seed.js';
import {
  inspect,
  readNonFinite,
  readOverflow,
  readSums,
  refuseNonFinite,
} from './reduced-vector.js';
import type { StepSums } from './reduced-vector.js';
import type { Stopwatch } from './stopwatch.js';

/** A step that all ranks voted to commit. Its vector is the generation's. */
export interface ReducedStep {
  readonly sums: StepSums;
  /** Largest magnitude in each slot, shape [numSlots]. */
  readonly maxima: Float64Array;
  /** Exponents that the vector was computed with, shape [numSlots]. */
  readonly exponents: Int32Array;
  /** Samples that this rank computed. */
  readonly samples: number;
  readonly numRepeats: number;
}

/**
 * Computes this rank's lanes of the next step, sums them with those of the others into
 * `generation.vector`, and takes the commit vote. Changes no state: whatever rejects here leaves
 * the rank at its last committed step. A step in which a slot overflowed is repeated with smaller
 * exponents, at most (MAX - MIN) / BACKOFF times, and equally on every rank.
 */
export async function reduceStep(g: Generation, watch: Stopwatch): Promise<ReducedStep> {
  const { layout } = g.state.engine;
  let exponents = g.state.exponents;
  for (let numRepeats = 0; ; numRepeats++) {
    const { badLane, samples } = await addLanes(g, exponents, watch);
    await watch.time('ringMs', () => g.collective.allReduce(g.vector, g.deadlineMs));
    const { maxima, badLanes } = await watch.time('commitMs', () => vote(g, badLane));
    refuseNonFinite(g.vector, layout, g.state.position.step + 1, badLanes);
    const overflow = readOverflow(g.vector, layout);
    if (overflow === null) {
      const sums = readSums(g.vector, layout);
      requireAllSamples(g, sums.samples);
      return { sums, maxima, exponents, samples, numRepeats };
    }
    exponents = backOff(g, exponents, overflow);
    seekPosition(g);
  }
}

/** Makes the batch source go on with the step at the state's position. */
export function seekPosition({ state, batches, numSamples, spec, lanes }: Generation): void {
  const { epoch } = state.position;
  const step = stepInEpoch(state.position, numSamples, spec.lanes);
  batches.seek({ epoch, stepInEpoch: step }, lanes);
}

interface OwnLanes {
  /** The first lane with a NaN or an infinity. */
  readonly badLane: number | null;
  readonly samples: number;
}

/** Adds up this rank's lanes in `g.vector`. */
async function addLanes(g: Generation, exponents: Int32Array, watch: Stopwatch): Promise<OwnLanes> {
  const { engine, position } = g.state;
  let badLane: number | null = null;
  let samples = 0;
  g.vector.fill(0);
  for (const lane of g.lanes) {
    const batch = await watch.time('dataWaitMs', () => g.batches.next(lane));
    if (batch.samples === 0) continue;
    samples += batch.samples;
    const seed = laneSeed(g.spec.seed, position.step, lane);
    const yielded = await watch.time('computeMs', () => {
      const vector = engine.forwardBackward(batch, exponents, g.spec.lanes.count, seed);
      add(g.vector, vector);
      return vector;
    });
    if (badLane === null && readNonFinite(yielded, engine.layout).length > 0) badLane = lane;
    await g.clock.turn();
  }
  return { badLane, samples };
}

function add(sum: Int32Array | Float32Array, term: Int32Array | Float32Array): void {
  const { length } = sum;
  for (let i = 0; i < length; i++) sum[i] = (sum[i] ?? 0) + (term[i] ?? 0);
}

/**
 * The commit vote: resolves only when every rank holds the same reduced vector. A rank whose ring
 * failed does not vote, and then no rank's vote completes, but for one case: a ring that fails while
 * votes arrive may leave some ranks with all votes and others without. Those with all votes commit,
 * so positions differ by one step. The next generation starts from the furthest rank; where none of
 * them survived, the step is computed anew, to the same bits.
 */
async function vote(
  g: Generation,
  badLane: number | null,
): Promise<{ maxima: Float64Array; badLanes: number[] }> {
  const { checksum, maxima } = inspect(g.vector, g.state.engine.layout);
  const votes = await gather(g.collective, [...checksum, (badLane ?? -1) + 1], g.deadlineMs);
  const differing = votes.flatMap((row, rank) =>
    row[0] === checksum[0] && row[1] === checksum[1] ? [] : [rank],
  );
  if (differing.length > 0) {
    throw new TrainerError(
      'REDUCTION_DIVERGED',
      `step ${g.state.position.step + 1}: the reduced vector of rank ${g.collective.rank} is not ` +
        `that of rank ${differing.join(', ')}; expected the same bits on every rank`,
    );
  }
  const badLanes = votes.flatMap((row) => (row[2] ? [row[2] - 1] : []));
  return { maxima, badLanes };
}

function requireAllSamples(g: Generation, samples: number): void {
  const expected = samplesInStep(g.state.position, g.numSamples, g.spec.lanes);
  if (samples === expected) return;
  throw new TrainerError(
    'SAMPLES_MISMATCH',
    `step ${g.state.position.step + 1}: the lanes held ${samples} samples; expected ${expected}`,
    true,
  );
}

function backOff(g: Generation, exponents: Int32Array, flags: ArrayLike<number>): Int32Array {
  const smaller = backedOffExponents(exponents, flags);
  if (smaller !== null) return smaller;
  const name = g.state.engine.layout.slots.find((_, slot) => flags[slot])?.name ?? '';
  throw new TrainerError(
    'EXPONENT_EXHAUSTED',
    `step ${g.state.position.step + 1}: the gradient of ${name} does not fit the smallest ` +
      'fixed-point exponent; expected magnitudes below 2^100',
    true,
  );
}
