import { EngineError } from '@skipring/trainer';
import { attribute, type GraphBuilder } from '../graph-builder.js';
import type { Output } from '../graph-def.js';
import { activated } from './activation-nodes.js';
import { convolutionNodes } from './convolution-nodes.js';
import {
  float,
  NHWC,
  reduced,
  T,
  vector,
  weight,
  withBias,
  type Config,
  type LayerContext,
  type LayerNodes,
} from './layer-context.js';
import { reshaped, shapeNodes } from './shape-nodes.js';
import { inputChannels, type StackLayer, type TrainedModel } from './trained-model.js';

/** The nodes of a layer in inference; returns its output. Throws EngineError EXPORT_UNSUPPORTED. */
export function layerNodes(
  g: GraphBuilder,
  trained: TrainedModel,
  layer: StackLayer,
  inputs: readonly Output[],
): Output {
  const kind = layer.getClassName();
  const build = builders[kind];
  if (build === undefined) {
    throw new EngineError(
      'EXPORT_UNSUPPORTED',
      `layer ${layer.name} is a ${kind}, expected one of ${Object.keys(builders).join(', ')}`,
    );
  }
  const outputShape = (layer.outputShape as (number | null)[]).slice(1).map((size) => size ?? -1);
  const config = layer.getConfig() as Config;
  const channels = inputChannels(layer);
  const { name } = layer;
  return build({ g, trained, name, config, inputs, inputChannels: channels, outputShape });
}

/** All inputs in one, the first two first. */
const folded =
  (op: 'AddV2' | 'Mul' | 'Maximum' | 'Minimum'): LayerNodes =>
  ({ g, inputs: [first = '', ...others] }) =>
    others.reduce((value, other) => g.binary(op, value, other), first);
const sum = folded('AddV2');

const builders: Readonly<Record<string, LayerNodes>> = {
  ...convolutionNodes,
  ...shapeNodes,
  Dense: (context) => {
    const { g, inputs, inputChannels: channels, outputShape } = context;
    const isMatrix = outputShape.length === 1;
    const x = isMatrix ? (inputs[0] ?? '') : reshaped(g, inputs[0] ?? '', [channels]);
    const transpose = attribute.bool(false);
    const attributes = { T, transpose_a: transpose, transpose_b: transpose };
    const y = withBias(context, g.add('MatMul', [x, weight(context, 'kernel')], attributes));
    return activated(context, isMatrix ? y : reshaped(g, y, outputShape));
  },
  FusedBatchNormalization: (context) => {
    const { g, config, inputs, inputChannels: channels, outputShape } = context;
    // The operation is one on images: a matrix is one of a single pixel each.
    const isImage = outputShape.length === 3;
    const x = isImage ? (inputs[0] ?? '') : reshaped(g, inputs[0] ?? '', [1, 1, channels]);
    const parts = [vector(context, 'gamma', 1), vector(context, 'beta', 0)];
    const moving = ['movingMean', 'movingVariance'].map((part) => weight(context, part));
    const y = g.add('FusedBatchNormV3', [x, ...parts, ...moving], {
      T,
      U: T,
      epsilon: float(config.epsilon as number),
      exponential_avg_factor: float(1),
      data_format: NHWC,
      is_training: attribute.bool(false),
    });
    return isImage ? y : reshaped(g, y, outputShape);
  },
  LayerNormalization: (context) => {
    const { g, config, inputs } = context;
    const x = inputs[0] ?? '';
    const centred = g.binary('Sub', x, reduced(g, 'Mean', x, [-1], true));
    const variance = reduced(g, 'Mean', g.unary('Square', centred), [-1], true);
    const epsilon = g.floats([config.epsilon as number], []);
    const factor = g.unary('Rsqrt', g.binary('AddV2', variance, epsilon));
    const scaled = g.binary('Mul', g.binary('Mul', centred, factor), vector(context, 'gamma', 1));
    return g.binary('AddV2', scaled, vector(context, 'beta', 0));
  },
  Activation: (context) => activated(context, first(context)),
  ReLU: ({ g, config, inputs: [x = ''] }) => {
    const y = g.unary('Relu', x);
    const limit = config.maxValue as number | null | undefined;
    return typeof limit === 'number' ? g.binary('Minimum', y, g.floats([limit], [])) : y;
  },
  LeakyReLU: ({ g, config, inputs: [x = ''] }) =>
    g.add('LeakyRelu', [x], { T, alpha: float(config.alpha as number) }),
  ELU: ({ g, inputs: [x = ''] }) => g.unary('Elu', x),
  Softmax: ({ g, inputs: [x = ''] }) => g.add('Softmax', [x], { T }),
  Add: sum,
  Multiply: folded('Mul'),
  Maximum: folded('Maximum'),
  Minimum: folded('Minimum'),
  Average: (context) => {
    const { g, inputs } = context;
    return g.binary('Mul', sum(context), g.floats([1 / inputs.length], []));
  },
  GlobalAveragePooling2D: ({ g, inputs: [x = ''] }) => reduced(g, 'Mean', x, [1, 2]),
  GlobalMaxPooling2D: ({ g, inputs: [x = ''] }) => reduced(g, 'Max', x, [1, 2]),
  // Inference drops nothing.
  SeededDropout: (context) => first(context),
};

function first({ inputs }: LayerContext): Output {
  return inputs[0] ?? '';
}
