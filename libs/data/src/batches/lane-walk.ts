import type { EpochStep } from './thread-messages.js';

/** One lane of one step. */
export interface LaneTurn extends EpochStep {
  readonly lane: number;
}

/** The lanes of each step in ascending order, step by step and on into the next epochs, for ever. */
export function* laneWalk(
  start: EpochStep,
  lanes: readonly number[],
  stepsPerEpoch: number,
): Generator<LaneTurn, never> {
  let { epoch, stepInEpoch } = start;
  for (;;) {
    for (const lane of lanes) yield { epoch, stepInEpoch, lane };
    stepInEpoch += 1;
    if (stepInEpoch === stepsPerEpoch) {
      epoch += 1;
      stepInEpoch = 0;
    }
  }
}
