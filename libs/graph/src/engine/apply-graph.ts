import type { TrainableModel } from '@skipring/nn';
import type { VectorLayout } from '@skipring/trainer';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';
import { normOf, optimizerOf, type OptimizerSpec, type UpdateScalar } from './optimizers.js';
import { decayAt, moveAverage, trainedName } from './weight-average.js';

/** Names of the update's inputs, and the value that is there when all is done. */
export interface ApplyGraph {
  /** What each slot's sum is multiplied by: 2^-exponent / totalWeight, float32 [slots]. */
  readonly scales: Output;
  /** Such as the learning rate. */
  readonly scalars: readonly UpdateScalar[];
  readonly done: Output;
}

/** What keeps the norm of a clipped gradient below the limit, and of a zero one defined; PyTorch's. */
const CLIP_EPSILON = 1e-6;

/** What an update is by. */
export interface UpdateSource {
  /** int32 or float32 [layout.length] */
  readonly reduced: Output;
  readonly dtype: number;
  /** Begins the names of the update's inputs. */
  readonly scope: string;
}

/**
 * Adds the optimizer's update by `g = sum * scale`, clipped to the limit of its norm over all
 * parameters, and `moving = m * moving + (1 - m) * batch` for the moving statistics; then the moving
 * average of the weights, where the spec has one.
 */
export function buildApply(
  g: GraphBuilder,
  variables: VariableSet,
  model: TrainableModel,
  layout: VectorLayout,
  momenta: ReadonlyMap<string, number>,
  spec: OptimizerSpec,
  { reduced, dtype, scope }: UpdateSource,
): ApplyGraph {
  const { slots } = layout;
  const scales = g.placeholder(`${scope}/scales`, DataType.float32, [slots.length]);
  const scalars: UpdateScalar[] = [];
  const scalar = (name: string, valueAt: UpdateScalar['valueAt']): Output => {
    const output = g.placeholder(`${scope}/${name}`, DataType.float32, []);
    scalars.push({ output, valueAt });
    return output;
  };
  const update = optimizerOf(spec).begin({ g, variables, scalar });
  const decays = new Set(model.parameters.filter((p) => p.decay).map((p) => p.name));

  const means = meansOf(g, layout, { reduced, scales }, dtype);
  const gradients = means.filter((_, index) => slots[index]?.kind === 'gradient');
  const { gradientClipNorm, weightAverage, weightDecay } = spec;
  const share =
    weightAverage === undefined
      ? null
      : scalar('averageShare', ({ step }) => 1 - decayAt(weightAverage.decay, step));
  const clip = gradientClipNorm === undefined ? null : clipFactor(g, gradients, gradientClipNorm);
  const updates = slots.map(({ name, kind, shape }, index) => {
    const flat = means[index] ?? '';
    if (kind !== 'gradient') {
      return move(g, variables, name, g.reshape(flat, shape), momenta.get(name) ?? 0);
    }
    const gradient = g.reshape(clip === null ? flat : g.binary('Mul', flat, clip), shape);
    const variable = trainedName(spec, name);
    const decay = decays.has(name) ? weightDecay : 0;
    const moved = update({ name, variable, shape, gradient, weightDecay: decay });
    if (share === null) return moved;
    return moveAverage(g, variables, { parameter: name, trained: variable }, share, moved);
  });
  return { scales, scalars, done: g.after(updates, `${scope}/done`) };
}

/** What the slots of a reduced vector are once scaled, each a float32 vector. */
export function meansOf(
  g: GraphBuilder,
  { slots, length, metricsOffset }: VectorLayout,
  { reduced, scales }: { readonly reduced: Output; readonly scales: Output },
  dtype: number,
): Output[] {
  const tail = length - metricsOffset;
  const parts = g.split(reduced, [...slots.map((slot) => slot.length), tail], dtype);
  const factors = g.unpack(scales, slots.length, DataType.float32);
  return slots.map((_, index) => {
    const part = parts[index] ?? '';
    const float = dtype === DataType.float32 ? part : g.cast(part, dtype, DataType.float32);
    return g.binary('Mul', float, factors[index] ?? '');
  });
}

/** `min(1, limit / |g|)`, float32 scalar. */
function clipFactor(g: GraphBuilder, gradients: readonly Output[], limit: number): Output {
  const norm = g.binary('AddV2', normOf(g, gradients), g.floats([CLIP_EPSILON], []));
  const ratio = g.binary('RealDiv', g.floats([limit], []), norm);
  return g.binary('Minimum', ratio, g.floats([1], []));
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
