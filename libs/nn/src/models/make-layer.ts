import { marginsOf, pairOf, type TopologyLayer } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { FusedBatchNormalization } from '../layers/fused-batch-normalization.js';
import { SeededDropout } from '../layers/seeded-dropout.js';

type Pair = [number, number];
type Activation = NonNullable<Parameters<typeof tf.layers.activation>[0]['activation']>;
/** Any layer but the input. */
type Working = Exclude<TopologyLayer, { class_name: 'InputLayer' }>;

const pair = (value: number | readonly number[]): Pair => [...pairOf(value)];
const margins = (value: Parameters<typeof marginsOf>[0]): [Pair, Pair] => {
  const [vertical, horizontal] = marginsOf(value);
  return [[...vertical], [...horizontal]];
};
const activationOf = (name: string): Activation =>
  (name === 'hard_sigmoid' ? 'hardSigmoid' : name) as Activation;
/** Weights are set afterwards, from the job's seed. */
const zeros = 'zeros';

/**
 * The layer of TensorFlow.js that a layer of a topology describes, with weights of zeros; batch norm
 * and dropout are the library's own.
 */
export function makeLayer(layer: Working): tf.layers.Layer {
  const { name } = layer.config;
  switch (layer.class_name) {
    case 'Conv2D':
    case 'DepthwiseConv2D':
    case 'SeparableConv2D':
      return makeConvolution(layer);
    case 'Dense': {
      const { units, use_bias, activation } = layer.config;
      return tf.layers.dense({
        name,
        units,
        useBias: use_bias,
        activation: activationOf(activation),
        kernelInitializer: zeros,
        biasInitializer: zeros,
      });
    }
    case 'BatchNormalization': {
      const { momentum, epsilon, center, scale } = layer.config;
      return new FusedBatchNormalization({ name, momentum, epsilon, center, scale });
    }
    case 'LayerNormalization': {
      const { epsilon, center, scale } = layer.config;
      return tf.layers.layerNormalization({ name, epsilon, center, scale });
    }
    case 'Activation':
      return tf.layers.activation({ name, activation: activationOf(layer.config.activation) });
    case 'ReLU': {
      const { max_value } = layer.config;
      if (typeof max_value === 'number') return tf.layers.reLU({ name, maxValue: max_value });
      return tf.layers.activation({ name, activation: 'relu' });
    }
    case 'LeakyReLU':
      return tf.layers.leakyReLU({ name, alpha: layer.config.alpha });
    case 'ELU':
      return tf.layers.elu({ name, alpha: layer.config.alpha });
    case 'Softmax':
      return tf.layers.softmax({ name });
    case 'Dropout':
      return new SeededDropout({ name, rate: layer.config.rate });
    case 'MaxPooling2D':
    case 'AveragePooling2D': {
      const { pool_size, strides, padding } = layer.config;
      const config = {
        name,
        poolSize: pair(pool_size),
        strides: pair(strides ?? pool_size),
        padding,
      };
      return layer.class_name === 'MaxPooling2D'
        ? tf.layers.maxPooling2d(config)
        : tf.layers.averagePooling2d(config);
    }
    case 'GlobalMaxPooling2D':
      return tf.layers.globalMaxPooling2d({ name });
    case 'GlobalAveragePooling2D':
      return tf.layers.globalAveragePooling2d({ name });
    case 'ZeroPadding2D':
      return tf.layers.zeroPadding2d({ name, padding: margins(layer.config.padding) });
    case 'Cropping2D':
      return tf.layers.cropping2D({ name, cropping: margins(layer.config.cropping) });
    case 'UpSampling2D':
      return tf.layers.upSampling2d({ name, size: pair(layer.config.size) });
    case 'Flatten':
      return tf.layers.flatten({ name });
    case 'Reshape':
      return tf.layers.reshape({ name, targetShape: layer.config.target_shape });
    case 'Permute':
      return tf.layers.permute({ name, dims: layer.config.dims });
    case 'Add':
      return tf.layers.add({ name });
    case 'Multiply':
      return tf.layers.multiply({ name });
    case 'Average':
      return tf.layers.average({ name });
    case 'Maximum':
      return tf.layers.maximum({ name });
    case 'Minimum':
      return tf.layers.minimum({ name });
    case 'Concatenate':
      return tf.layers.concatenate({ name, axis: layer.config.axis });
  }
}

type Convolution = Extract<
  TopologyLayer,
  { class_name: 'Conv2D' | 'DepthwiseConv2D' | 'SeparableConv2D' }
>;

function makeConvolution(layer: Convolution): tf.layers.Layer {
  const { name, kernel_size, strides, padding, use_bias, activation } = layer.config;
  const common = {
    name,
    kernelSize: pair(kernel_size),
    strides: pair(strides),
    padding,
    useBias: use_bias,
    activation: activationOf(activation),
    biasInitializer: zeros,
  } as const;
  switch (layer.class_name) {
    case 'Conv2D': {
      const { filters } = layer.config;
      return tf.layers.conv2d({ ...common, filters, kernelInitializer: zeros });
    }
    case 'DepthwiseConv2D': {
      const depthMultiplier = layer.config.depth_multiplier;
      return tf.layers.depthwiseConv2d({
        ...common,
        depthMultiplier,
        depthwiseInitializer: zeros,
      });
    }
    case 'SeparableConv2D': {
      const { filters, depth_multiplier: depthMultiplier } = layer.config;
      return tf.layers.separableConv2d({
        ...common,
        filters,
        depthMultiplier,
        depthwiseInitializer: zeros,
        pointwiseInitializer: zeros,
      });
    }
  }
}
