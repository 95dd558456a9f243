import { z } from 'zod';
import {
  activation,
  channelsLast,
  common,
  dimension,
  layerName,
  noActivityRegularizer,
  padding,
  pairOf,
  weight,
} from './fields.js';

const kernelSide = z.int().min(1).max(64);
const strides = pairOf(z.int().min(1).max(16));
const rate = z.number().min(0).lt(1);
const sides = z.int().min(0).max(1_024);
/** Rows and columns that are added or cut: all alike, or [height, width], or [[top, bottom], [left, right]]. */
const margins = z.union([
  sides,
  z.array(sides).length(2),
  z.array(z.array(sides).length(2)).length(2),
]);

const convolution = {
  ...common,
  ...channelsLast,
  ...noActivityRegularizer,
  kernel_size: pairOf(kernelSide),
  strides: strides.default(1),
  padding,
  dilation_rate: pairOf(z.literal(1)).optional(),
  groups: z.literal(1).optional(),
  activation,
  use_bias: z.boolean().default(true),
  ...weight('bias'),
};
const separable = {
  depth_multiplier: z.int().min(1).max(64).default(1),
  ...weight('depthwise'),
};
const pooling = {
  ...common,
  ...channelsLast,
  pool_size: pairOf(kernelSide).default(2),
  strides: strides.nullish().describe('pool_size where absent'),
  padding,
};
const globalPooling = { ...common, ...channelsLast, keepdims: z.literal(false).optional() };
const centred = {
  ...common,
  epsilon: z.number().gt(0).max(1).default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
  ...weight('beta'),
  ...weight('gamma'),
};
const axis = z.union([z.int().min(-1).max(3), z.array(z.int().min(-1).max(3)).length(1)]);

/** What each layer's `config` may hold; what has no effect in training may stand there empty. */
const configs = {
  InputLayer: {
    ...common,
    sparse: z.literal(false).optional(),
    ragged: z.literal(false).optional(),
  },
  Conv2D: { ...convolution, filters: dimension, ...weight('kernel') },
  DepthwiseConv2D: { ...convolution, ...separable },
  SeparableConv2D: { ...convolution, ...separable, filters: dimension, ...weight('pointwise') },
  Dense: {
    ...common,
    ...noActivityRegularizer,
    units: dimension,
    activation,
    use_bias: z.boolean().default(true),
    ...weight('kernel'),
    ...weight('bias'),
  },
  BatchNormalization: {
    ...centred,
    axis: axis.default(-1),
    momentum: z.number().min(0).lt(1).default(0.99),
    moving_mean_initializer: weight('beta').beta_initializer,
    moving_variance_initializer: weight('gamma').gamma_initializer,
  },
  LayerNormalization: { ...centred, axis: axis.default(-1) },
  Activation: { ...common, activation },
  ReLU: {
    ...common,
    max_value: z.number().gt(0).max(1e6).nullish(),
    negative_slope: z.literal(0).nullish(),
    threshold: z.literal(0).nullish(),
  },
  LeakyReLU: { ...common, alpha: z.number().min(0).max(100).default(0.3) },
  ELU: { ...common, alpha: z.literal(1).default(1) },
  Softmax: { ...common, axis: z.int().min(-1).max(3).default(-1) },
  Dropout: {
    ...common,
    rate,
    noise_shape: z.null().optional(),
    seed: z.int().nullish().describe('not used: masks come from the seed of the job'),
  },
  MaxPooling2D: pooling,
  AveragePooling2D: pooling,
  GlobalMaxPooling2D: globalPooling,
  GlobalAveragePooling2D: globalPooling,
  ZeroPadding2D: { ...common, ...channelsLast, padding: margins.default(1) },
  Cropping2D: { ...common, ...channelsLast, cropping: margins.default(0) },
  UpSampling2D: {
    ...common,
    ...channelsLast,
    size: pairOf(z.int().min(1).max(16)).default(2),
    interpolation: z.literal('nearest').optional(),
  },
  Flatten: { ...common, ...channelsLast },
  Reshape: { ...common, target_shape: z.array(dimension).min(1).max(3) },
  Permute: { ...common, dims: z.array(z.int().min(1).max(3)).min(1).max(3) },
  Add: common,
  Multiply: common,
  Average: common,
  Maximum: common,
  Minimum: common,
  Concatenate: { ...common, axis: z.int().min(-1).max(3).default(-1) },
} as const;

type LayerClass = keyof typeof configs;

/** `[name of a layer, 0, 0, {}]`: each layer is called once, and has one output. */
const inbound = z.tuple([layerName, z.literal(0), z.literal(0), z.strictObject({}).optional()]);
const inboundNodes = z.array(z.array(inbound).min(1).max(64)).max(1);

const layer = <C extends LayerClass>(className: C) =>
  z.strictObject({
    class_name: z.literal(className),
    name: layerName.optional(),
    config: z.strictObject(configs[className]),
    inbound_nodes: inboundNodes.optional(),
  });

/** The layers that a model may be made of. */
export const layerSchema = z.discriminatedUnion('class_name', [
  layer('InputLayer'),
  layer('Conv2D'),
  layer('DepthwiseConv2D'),
  layer('SeparableConv2D'),
  layer('Dense'),
  layer('BatchNormalization'),
  layer('LayerNormalization'),
  layer('Activation'),
  layer('ReLU'),
  layer('LeakyReLU'),
  layer('ELU'),
  layer('Softmax'),
  layer('Dropout'),
  layer('MaxPooling2D'),
  layer('AveragePooling2D'),
  layer('GlobalMaxPooling2D'),
  layer('GlobalAveragePooling2D'),
  layer('ZeroPadding2D'),
  layer('Cropping2D'),
  layer('UpSampling2D'),
  layer('Flatten'),
  layer('Reshape'),
  layer('Permute'),
  layer('Add'),
  layer('Multiply'),
  layer('Average'),
  layer('Maximum'),
  layer('Minimum'),
  layer('Concatenate'),
]);

/** One layer of a topology. */
export type TopologyLayer = z.output<typeof layerSchema>;
