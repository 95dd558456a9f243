import type { SyncSpec } from '@skipring/protocol';
import type { TensorData } from '../engine.js';
import type { SummedChange } from './mean-change.js';

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
  { words, exponent, numReplicas }: SummedChange,
  momentum: Float32Array | null,
  sync: SyncSpec,
): OuterUpdate {
  const { length } = before;
  const values = new Float32Array(length);
  const scale = 2 ** -exponent;
  if (momentum === null || sync.mode !== 'diloco') {
    for (let i = 0; i < length; i++) {
      values[i] = (before[i] ?? 0) - ((words[i] ?? 0) * scale) / numReplicas;
    }
    return { values, momentum };
  }
  const { outerLearningRate: lr, outerMomentum: mu } = sync;
  const next = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const d = ((words[i] ?? 0) * scale) / numReplicas;
    next[i] = mu * (momentum[i] ?? 0) + d;
    // By the momentum as it is stored, in float32.
    values[i] = (before[i] ?? 0) - lr * (d + mu * (next[i] ?? 0));
  }
  return { values, momentum: next };
}
