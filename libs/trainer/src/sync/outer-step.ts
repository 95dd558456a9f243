import type { SyncSpec } from '@skipring/protocol';
import type { TensorData } from '../engine.js';

/** A tensor after an average, and the outer momentum that goes with it. */
export interface OuterUpdate {
  readonly values: Float32Array;
  readonly momentum: Float32Array | null;
}

/**
 * The outer optimizer's step of one parameter by its mean change `d` over all replicas, which it
 * takes for a gradient (Douillard et al. 2023, algorithm 1; Nesterov's momentum as in PyTorch):
 * `v = mu * v + d`, `x = x - lr * (d + mu * v)`. For `localSgd`, and for what is no parameter, it is
 * `x - d`: the mean of the replicas.
 *
 * @param before at the beginning of the period
 * @param momentum null: no outer optimizer
 */
export function outerStep(
  { values: before }: TensorData,
  change: Float64Array,
  momentum: Float32Array | null,
  sync: SyncSpec,
): OuterUpdate {
  if (momentum === null || sync.mode !== 'diloco') {
    return { values: before.map((x, i) => x - (change[i] ?? 0)), momentum };
  }
  const { outerLearningRate: lr, outerMomentum: mu } = sync;
  const next = momentum.map((v, i) => mu * v + (change[i] ?? 0));
  const values = before.map((x, i) => x - lr * ((change[i] ?? 0) + mu * (next[i] ?? 0)));
  return { values, momentum: next };
}
