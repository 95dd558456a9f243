import { advance, stepInEpoch } from '@skipring/data';
import type { Position } from '@skipring/protocol';
import { addLanes } from '../add-lanes.js';
import type { TensorMap } from '../engine.js';
import { nextExponents } from '../exponents.js';
import type { Generation } from '../generation.js';
import { backOff } from '../overflow.js';
import { maximaOf, readOverflow, readSums, refuseNonFinite } from '../reduced-vector.js';
import type { StepSums } from '../reduced-vector.js';
import type { Stopwatch } from '../stopwatch.js';

/** A replica at the end of a period. */
export interface ReplicaResult {
  /** The engine's state. */
  readonly tensors: TensorMap;
  /** Fixed-point exponents for its next step, shape [numSlots]. */
  readonly exponents: Int32Array;
  /** Of each of its steps, over its own lanes. */
  readonly sums: readonly StepSums[];
  readonly numRepeats: number;
}

/**
 * Trains one replica, whose state the engine holds, through a period: steps that are as in `exact`
 * or float32 training, on the lanes of this replica alone. A step of which they have no sample, a
 * short last one, changes nothing.
 *
 * @throws TrainerError NON_FINITE_GRADIENT or EXPONENT_EXHAUSTED
 */
export async function runReplica(
  g: Generation,
  lanes: readonly number[],
  numSteps: number,
  watch: Stopwatch,
): Promise<ReplicaResult> {
  const { engine } = g.state;
  const { held } = engine;
  let { position, exponents } = g.state;
  const sums: StepSums[] = [];
  let numRepeats = 0;
  seek(g, position, lanes);
  while (sums.length < numSteps) {
    g.signal.throwIfAborted();
    const { step } = position;
    const work = { lanes, step, exponents, held };
    const { badLane, maxima } = await addLanes(g, g.vector, work, watch);
    refuseNonFinite(g.vector, engine.layout, step + 1, badLane === null ? [] : [badLane]);
    const overflow = readOverflow(g.vector, engine.layout);
    if (overflow !== null) {
      exponents = backOff(g.state, step, exponents, overflow);
      numRepeats += 1;
      seek(g, position, lanes);
      continue;
    }
    const own = readSums(g.vector, engine.layout);
    if (own.samples > 0) {
      const learningRate = g.schedule(step);
      const totalWeight = own.samples / g.spec.lanes.size;
      const scalars = { learningRate, step: step + 1, totalWeight, exponents };
      await watch.time('applyMs', () => {
        if (held === null) engine.apply(g.vector, scalars);
        else held.apply(scalars);
      });
      if (engine.reduction === 'exact') {
        const largest = maxima ?? maximaOf(g.vector, engine.layout);
        exponents = nextExponents(exponents, largest, g.spec.lanes.count);
      }
    }
    sums.push(own);
    position = advance(position, g.numSamples, g.spec.lanes);
  }
  return { tensors: engine.readState(), exponents, sums, numRepeats };
}

function seek(g: Generation, position: Position, lanes: readonly number[]): void {
  const index = stepInEpoch(position, g.numSamples, g.spec.lanes);
  g.batches.seek({ epoch: position.epoch, stepInEpoch: index }, lanes);
}
