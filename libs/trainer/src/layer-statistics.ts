import type { ActivationStatistics, LayerNorms } from './engine.js';
import type { Generation } from './generation.js';
import type { ReducedStep } from './reduce-step.js';

/** Digits that are told of a value: what float32 holds for sure. */
const NUM_DIGITS = 6;

/** Norms before the step is applied, on the rank that has its activations; null on others. */
export function probeNorms(
  { state, vector, spec }: Generation,
  { activations, sums, exponents, skipped }: ReducedStep,
): LayerNorms | null {
  if (activations === null || state.engine.probe === null || skipped !== null) return null;
  const totalWeight = sums.samples / spec.lanes.size;
  return state.engine.probe.norms(vector, { totalWeight, exponents });
}

/** Tells what was found at a step that is committed now. */
export function reportLayers(
  { state, report }: Generation,
  epoch: number,
  activations: ActivationStatistics | null,
  norms: LayerNorms | null,
): void {
  const { probe } = state.engine;
  if (probe === null || activations === null || norms === null) return;
  report.layers(probe.layers, {
    step: state.position.step,
    epoch,
    gradientNorm: rounded(norms.gradient),
    weightNorm: rounded(norms.weight),
    activationMean: rounded(activations.mean),
    activationVariance: rounded(activations.variance),
  });
}

function rounded(values: Float32Array): (number | null)[] {
  return Array.from(values, (value) =>
    Number.isFinite(value) ? Number(value.toPrecision(NUM_DIGITS)) : null,
  );
}
