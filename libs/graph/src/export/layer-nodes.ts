import { EngineError } from '@skipring/trainer';
import { attribute, type GraphBuilder } from '../graph-builder.js';
import { DataType, type Attribute, type Output } from '../graph-def.js';
import { inputChannels, tensorOf, type StackLayer, type TrainedModel } from './trained-model.js';

type Config = Readonly<Record<string, unknown>>;

/** What a layer's nodes are made from. */
interface LayerContext {
  readonly g: GraphBuilder;
  readonly trained: TrainedModel;
  readonly name: string;
  readonly config: Config;
  readonly inputs: readonly Output[];
  readonly inputChannels: number;
  /** Without the batch dimension. */
  readonly outputShape: readonly number[];
}

const T = attribute.type(DataType.float32);
const index32 = attribute.type(DataType.int32);
const NHWC = attribute.string('NHWC');
const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
const float = (value: number): Attribute => ({ kind: 'float', value });
const IDENTITY = ({ inputs }: LayerContext): Output => inputs[0] ?? '';

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

const builders: Readonly<Record<string, (context: LayerContext) => Output>> = {
  ZeroPadding2D: ({ g, config, inputs: [x = ''] }) => {
    const [[top = 0, bottom = 0] = [], [left = 0, right = 0] = []] = config.padding as number[][];
    const padding = g.ints([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
    return g.add('Pad', [x, padding], { T, Tpaddings: index32 });
  },
  Conv2D: (context) => {
    const { g, config, inputs } = context;
    const y = g.add('Conv2D', [inputs[0] ?? '', weight(context, 'kernel')], {
      T,
      strides: ints(spatial(config.strides)),
      dilations: ints(spatial(config.dilationRate)),
      padding: paddingOf(config),
      explicit_paddings: ints([]),
      data_format: NHWC,
      use_cudnn_on_gpu: attribute.bool(true),
    });
    return activated(context, withBias(context, y));
  },
  Dense: (context) => {
    const { g, inputs } = context;
    const factors = [inputs[0] ?? '', weight(context, 'kernel')];
    const transpose = attribute.bool(false);
    const y = g.add('MatMul', factors, { T, transpose_a: transpose, transpose_b: transpose });
    return activated(context, withBias(context, y));
  },
  FusedBatchNormalization: (context) => {
    const { g, config, inputs } = context;
    const parts = ['gamma', 'beta', 'movingMean', 'movingVariance'];
    return g.add('FusedBatchNormV3', [inputs[0] ?? '', ...parts.map((p) => weight(context, p))], {
      T,
      U: T,
      epsilon: float(config.epsilon as number),
      exponential_avg_factor: float(1),
      data_format: NHWC,
      is_training: attribute.bool(false),
    });
  },
  Activation: (context) => activated(context, context.inputs[0] ?? ''),
  ReLU: ({ g, inputs: [x = ''] }) => g.unary('Relu', x),
  Add: ({ g, inputs: [first = '', ...others] }) =>
    others.reduce((sum, other) => g.binary('AddV2', sum, other), first),
  Concatenate: ({ g, inputs }) =>
    g.add('ConcatV2', [...inputs, g.ints([-1], [])], {
      N: attribute.int(inputs.length),
      T,
      Tidx: index32,
    }),
  MaxPooling2D: (context) => pooled(context, 'MaxPool'),
  AveragePooling2D: (context) => pooled(context, 'AvgPool'),
  GlobalAveragePooling2D: ({ g, inputs: [x = ''] }) =>
    g.add('Mean', [x, g.ints([1, 2], [2])], { T, Tidx: index32, keep_dims: attribute.bool(false) }),
  SubsampleShortcut: ({ g, config, inputs: [x = ''], inputChannels: channels }) => {
    const stride = config.stride as number;
    const all = attribute.int(0b1111);
    const none = attribute.int(0);
    const bounds = g.ints([0, 0, 0, 0], [4]);
    const kept = g.add('StridedSlice', [x, bounds, bounds, g.ints([1, stride, stride, 1], [4])], {
      T,
      Index: index32,
      begin_mask: all,
      end_mask: all,
      ellipsis_mask: none,
      new_axis_mask: none,
      shrink_axis_mask: none,
    });
    const numZeros = (config.filters as number) - channels;
    const padding = g.ints([0, 0, 0, 0, 0, 0, 0, numZeros], [4, 2]);
    return g.add('Pad', [kept, padding], { T, Tpaddings: index32 });
  },
  Flatten: ({ g, inputs: [x = ''], outputShape }) => g.reshape(x, [-1, outputShape[0] ?? -1]),
  Dropout: IDENTITY,
};

function weight({ g, trained, name }: LayerContext, part: string): Output {
  const { shape, values } = tensorOf(trained, `${name}/${part}`);
  return g.constant(DataType.float32, shape, values);
}

function withBias(context: LayerContext, y: Output): Output {
  if (context.config.useBias !== true) return y;
  return context.g.add('BiasAdd', [y, weight(context, 'bias')], { T, data_format: NHWC });
}

function activated({ g, name, config }: LayerContext, y: Output): Output {
  switch (config.activation) {
    case 'linear':
    case undefined:
    case null:
      return y;
    case 'relu':
      return g.unary('Relu', y);
    case 'softmax':
      return g.add('Softmax', [y], { T });
    default:
      throw new EngineError(
        'EXPORT_UNSUPPORTED',
        `layer ${name}: activation ${JSON.stringify(config.activation)}, expected linear, relu or softmax`,
      );
  }
}

function pooled({ g, config, inputs }: LayerContext, op: 'MaxPool' | 'AvgPool'): Output {
  return g.add(op, [inputs[0] ?? ''], {
    T,
    ksize: ints(spatial(config.poolSize)),
    strides: ints(spatial(config.strides)),
    padding: paddingOf(config),
    data_format: NHWC,
    ...(op === 'MaxPool' ? { explicit_paddings: ints([]) } : {}),
  });
}

function spatial(sizes: unknown): number[] {
  return [1, ...(sizes as [number, number]), 1];
}

function paddingOf({ padding }: Config): Attribute {
  return attribute.string(padding === 'same' ? 'SAME' : 'VALID');
}
