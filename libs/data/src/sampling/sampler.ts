import { epochPermutation } from './permutation.js';
import {
  globalBatchSize,
  requireCount,
  requireIndex,
  stepsPerEpoch,
  type LaneShape,
  type SamplingPlan,
} from './plan.js';

/** Positions [start, end) in the epoch's permutation. */
export interface LaneRange {
  readonly start: number;
  readonly end: number;
}

/** Where lane `lane` of a step lies in the permutation; empty beyond the end of the split. */
export function laneRange(
  numSamples: number,
  lanes: LaneShape,
  stepInEpoch: number,
  lane: number,
): LaneRange {
  const first = stepInEpoch * globalBatchSize(lanes) + lane * lanes.size;
  return { start: Math.min(first, numSamples), end: Math.min(first + lanes.size, numSamples) };
}

/**
 * Which samples each lane of each step gets: a pure function of (seed, epoch, step, lane), that
 * every worker computes alike. Keeps the permutation of the last epoch asked for (4 bytes a sample).
 */
export class Sampler {
  readonly stepsPerEpoch: number;
  private permutation: { readonly epoch: number; readonly ids: Uint32Array } | undefined;

  constructor(readonly plan: SamplingPlan) {
    requireCount('lanes.count', plan.lanes.count);
    requireCount('lanes.size', plan.lanes.size);
    this.stepsPerEpoch = stepsPerEpoch(plan.numSamples, globalBatchSize(plan.lanes));
  }

  /**
   * Sample ids of one lane, at most `lanes.size` of them; fewer or none in a short last step. The
   * result is a view: do not write to it.
   */
  laneSamples(epoch: number, stepInEpoch: number, lane: number): Uint32Array {
    requireIndex('stepInEpoch', stepInEpoch, this.stepsPerEpoch);
    requireIndex('lane', lane, this.plan.lanes.count);
    const { start, end } = laneRange(this.plan.numSamples, this.plan.lanes, stepInEpoch, lane);
    return this.idsOf(epoch).subarray(start, end);
  }

  private idsOf(epoch: number): Uint32Array {
    if (this.permutation?.epoch !== epoch) {
      const ids = epochPermutation(this.plan.seed, epoch, this.plan.numSamples);
      this.permutation = { epoch, ids };
    }
    return this.permutation.ids;
  }
}

/** One lane's sample ids, for a single question; use a `Sampler` for many of one epoch. */
export function laneSamples(
  plan: SamplingPlan,
  epoch: number,
  stepInEpoch: number,
  lane: number,
): Uint32Array {
  return new Sampler(plan).laneSamples(epoch, stepInEpoch, lane);
}
