import { advance } from '@skipring/data';
import { nextExponents } from './exponents.js';
import { TrainerError } from './errors.js';
import type { Generation } from './generation.js';
import type { ReducedStep } from './reduce-step.js';

/**
 * Applies a step that was voted for: the optimizer update, the next exponents and the data cursor,
 * together; of a step that is skipped, the cursor alone. Rejects with APPLY_FAILED when the update
 * fails: then the engine's state is of no position and must be loaded anew.
 */
export function commit(g: Generation, step: ReducedStep, learningRate: number): void {
  const { state, spec } = g;
  if (step.skipped !== null) {
    state.numSkipped = step.skipped.numSkipped;
    state.position = advance(state.position, g.numSamples, spec.lanes);
    return;
  }
  const totalWeight = step.sums.samples / spec.lanes.size;
  try {
    const { exponents } = step;
    const inputs = { learningRate, step: state.position.step + 1, totalWeight, exponents };
    if (step.held === null) state.engine.apply(g.vector, inputs);
    else step.held.apply(inputs);
  } catch (cause) {
    throw new TrainerError(
      'APPLY_FAILED',
      `step ${state.position.step + 1}: ${cause instanceof Error ? cause.message : String(cause)}`,
      false,
      { cause },
    );
  }
  if (state.engine.reduction === 'exact') {
    state.exponents = nextExponents(step.exponents, step.maxima, spec.lanes.count);
  }
  state.position = advance(state.position, g.numSamples, spec.lanes);
}
