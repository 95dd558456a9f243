import type { TrainableModel } from '@skipring/nn';
import { OPTIMIZER_PREFIX, type VectorLayout } from '@skipring/trainer';
import { attribute, type GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';

/** Stochastic gradient descent with momentum, as PyTorch defines it. */
export interface OptimizerSpec {
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty added to the gradient of parameters that decay. */
  readonly weightDecay: number;
}

/** Names of the update's inputs, and the value that is there when all is done. */
export interface ApplyGraph {
  /** int32 or float32 [layout.length] */
  readonly reduced: Output;
  /** What each slot's sum is multiplied by: 2^-exponent / totalWeight, float32 [slots]. */
  readonly scales: Output;
  readonly learningRate: Output;
  readonly done: Output;
}

/** Name of a parameter's momentum slot. */
export function velocityName(parameter: string): string {
  return `${OPTIMIZER_PREFIX}velocity/${parameter}`;
}

/**
 * Adds the optimizer update: `g = sum * scale + weightDecay * w`, `v = momentum * v + g`,
 * `w -= learningRate * (nesterov ? g + momentum * v : v)`, and
 * `moving = m * moving + (1 - m) * batch` for the moving statistics.
 */
export function buildApply(
  g: GraphBuilder,
  variables: VariableSet,
  model: TrainableModel,
  layout: VectorLayout,
  momenta: ReadonlyMap<string, number>,
  optimizer: OptimizerSpec,
  dtype: number,
): ApplyGraph {
  const { slots } = layout;
  const reduced = g.placeholder('apply/reduced', dtype, [layout.length]);
  const scales = g.placeholder('apply/scales', DataType.float32, [slots.length]);
  const learningRate = g.placeholder('apply/learningRate', DataType.float32, []);
  const momentum = g.floats([optimizer.momentum], []);
  const decays = new Set(model.parameters.filter((p) => p.decay).map((p) => p.name));

  const tail = layout.length - layout.metricsOffset;
  const parts = g.split(reduced, [...slots.map(({ length }) => length), tail], dtype);
  const factors = g.unpack(scales, slots.length, DataType.float32);
  const updates = slots.map(({ name, kind, shape }, index) => {
    const part = parts[index] ?? '';
    const float = dtype === DataType.float32 ? part : g.cast(part, dtype, DataType.float32);
    const mean = g.reshape(g.binary('Mul', float, factors[index] ?? ''), shape);
    if (kind !== 'gradient') return move(g, variables, name, mean, momenta.get(name) ?? 0);
    const gradient =
      decays.has(name) && optimizer.weightDecay > 0
        ? addDecay(g, variables.read(name), mean, optimizer.weightDecay)
        : mean;
    const velocity = variables.handle(velocityName(name));
    return g.node(
      'ResourceApplyMomentum',
      [variables.handle(name), velocity, learningRate, gradient, momentum],
      {
        T: attribute.type(DataType.float32),
        use_locking: attribute.bool(false),
        use_nesterov: attribute.bool(optimizer.nesterov),
      },
    );
  });
  return { reduced, scales, learningRate, done: g.after(updates, 'apply/done') };
}

function addDecay(g: GraphBuilder, value: Output, gradient: Output, weightDecay: number): Output {
  return g.binary('AddV2', gradient, g.binary('Mul', value, g.floats([weightDecay], [])));
}

function move(
  g: GraphBuilder,
  variables: VariableSet,
  name: string,
  batch: Output,
  momentum: number,
): string {
  const kept = g.binary('Mul', variables.read(name), g.floats([momentum], []));
  const added = g.binary('Mul', batch, g.floats([1 - momentum], []));
  return variables.assign(name, g.binary('AddV2', kept, added));
}
