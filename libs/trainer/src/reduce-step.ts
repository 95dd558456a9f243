import { samplesInStep, stepInEpoch } from '@skipring/data';
import type { SkippedStep } from '@skipring/protocol';
import { addLanes } from './add-lanes.js';
import { agree } from './agree.js';
import { BucketReduction } from './bucket-reduction.js';
import { statisticsDue } from './due.js';
import type { ActivationStatistics, HeldSum } from './engine.js';
import type { Generation } from './generation.js';
import { backOff } from './overflow.js';
import {
  inspect,
  nonFiniteError,
  readNonFinite,
  readOverflow,
  readSums,
  requireSamples,
} from './reduced-vector.js';
import type { Inspection, StepSums } from './reduced-vector.js';
import type { Stopwatch } from './stopwatch.js';

/** The checksum of a step's vector that no rank has added to: the one rank votes all the same. */
const NOTHING_REDUCED = [0, 0] as const;

/** A step that all ranks voted to commit. */
export interface ReducedStep {
  readonly sums: StepSums;
  /** Largest magnitude in each slot, shape [numSlots]. */
  readonly maxima: ArrayLike<number>;
  /** Where the sum is; null: in the generation's vector, which otherwise has metrics and flags alone. */
  readonly held: HeldSum | null;
  /** Exponents that the vector was computed with, shape [numSlots]. */
  readonly exponents: Int32Array;
  /** Samples that this rank computed. */
  readonly samples: number;
  readonly numRepeats: number;
  /** Milliseconds of the ring's work that computing hid. */
  readonly ringHiddenMs: number;
  /** Of lane 0, on the rank that owns it, where they are due. */
  readonly activations: ActivationStatistics | null;
  /** Why the step is to change nothing; null for one that is to be taken. */
  readonly skipped: SkippedStep | null;
}

/**
 * Computes this rank's lanes of the next step, sums them with those of the others into
 * `generation.vector`, and takes the commit vote. Changes no state: whatever rejects here leaves
 * the rank at its last committed step. A step in which a slot overflowed is repeated with smaller
 * exponents, at most (MAX - MIN) / BACKOFF times, and equally on every rank. One with a NaN or an
 * infinity is to be skipped, until as many have been as the spec allows.
 */
export async function reduceStep(g: Generation, watch: Stopwatch): Promise<ReducedStep> {
  const { layout } = g.state.engine;
  let exponents = g.state.exponents;
  let ringHiddenMs = 0;
  for (let numRepeats = 0; ; numRepeats++) {
    const { step } = g.state.position;
    const isProbed = statisticsDue(g.spec, step + 1);
    // Of one rank the sum is complete as it is; a look at the gradient needs it outside.
    const held = g.collective.worldSize === 1 && !isProbed ? g.state.engine.held : null;
    const work = { lanes: g.lanes, step, exponents, isProbed, held };
    const reduction = new BucketReduction(g);
    const onBucket = g.overlaps ? (bucket: number) => reduction.begin(bucket) : null;
    const own = await addLanes(g, g.vector, work, watch, onBucket);
    const { badLane, samples, activations } = own;
    const waitFrom = g.clock.now();
    await watch.time('ringMs', () =>
      held === null ? reduction.finish() : g.onPhase('reduce', step + 1),
    );
    ringHiddenMs += Math.max(0, reduction.busyMs - (g.clock.now() - waitFrom));
    const { maxima, badLanes } = await watch.time('commitMs', async () => {
      await g.onPhase('vote', step + 1);
      const found =
        own.maxima === null
          ? inspect(g.vector, layout)
          : { maxima: own.maxima, checksum: NOTHING_REDUCED };
      return vote(g, found, badLane);
    });
    const skipped = skip(g, badLanes);
    const overflow = skipped === null ? readOverflow(g.vector, layout) : null;
    if (overflow === null) {
      const sums = readSums(g.vector, layout);
      const expected = samplesInStep(g.state.position, g.numSamples, g.spec.lanes);
      requireSamples(sums, expected, g.state.position.step + 1);
      const told = { numRepeats, ringHiddenMs, activations, skipped, held };
      return { sums, maxima, exponents, samples, ...told };
    }
    exponents = backOff(g.state, g.state.position.step, exponents, overflow);
    seekPosition(g);
  }
}

/** Makes the batch source go on with the step at the state's position. */
export function seekPosition({ state, batches, numSamples, spec, lanes }: Generation): void {
  const { epoch } = state.position;
  const step = stepInEpoch(state.position, numSamples, spec.lanes);
  batches.seek({ epoch, stepInEpoch: step }, lanes);
}

async function vote(
  g: Generation,
  { checksum, maxima }: Inspection,
  badLane: number | null,
): Promise<{ maxima: ArrayLike<number>; badLanes: number[] }> {
  const votes = await agree(g, checksum, [(badLane ?? -1) + 1]);
  return { maxima, badLanes: votes.flatMap(([lane]) => (lane ? [lane - 1] : [])) };
}

/**
 * What makes the step one to be skipped, or null.
 * @throws TrainerError NON_FINITE_GRADIENT when no more steps may be
 */
function skip(g: Generation, lanes: readonly number[]): SkippedStep | null {
  const { layout } = g.state.engine;
  const { position, numSkipped } = g.state;
  const names = readNonFinite(g.vector, layout);
  if (names.length === 0) return null;
  if (numSkipped >= g.spec.training.nonFiniteLimit) {
    throw nonFiniteError(names, layout, position.step + 1, lanes, numSkipped);
  }
  const tensors = names.slice(0, 5);
  return { lanes: [...lanes], tensors, numTensors: names.length, numSkipped: numSkipped + 1 };
}
