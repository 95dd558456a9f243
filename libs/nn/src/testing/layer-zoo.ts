import { modelSpecSchema, type Topology } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';

export const ZOO_INPUT = { height: 12, width: 12, channels: 3 };
export const ZOO_CLASSES = 5;

/** A model of TensorFlow.js's own layers that has one of each class a topology may have. */
export function layerZoo(): tf.LayersModel {
  const { layers } = tf;
  const images = tf.input({ shape: [12, 12, 3], name: 'images' });
  const run = (x: tf.SymbolicTensor | tf.SymbolicTensor[], ...chain: tf.layers.Layer[]) =>
    chain.reduce<unknown>((value, layer) => layer.apply(value as tf.SymbolicTensor), x) as
      tf.SymbolicTensor; // prettier-ignore
  const convolution = (name: string, rest: object = {}) =>
    layers.conv2d({ name, filters: 4, kernelSize: 3, padding: 'same', ...rest });

  const stem = run(
    images,
    convolution('stem', { activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.batchNormalization({ name: 'norm', momentum: 0.8, epsilon: 1e-4 }),
    layers.activation({ name: 'tanh', activation: 'tanh' }),
  );
  const left = run(
    stem,
    layers.depthwiseConv2d({
      name: 'depthwise',
      kernelSize: 3,
      padding: 'same',
      depthMultiplier: 2,
    }),
    layers.leakyReLU({ name: 'leaky', alpha: 0.2 }),
    layers.separableConv2d({ name: 'separable', filters: 4, kernelSize: [3, 1], padding: 'same' }),
    layers.batchNormalization({ name: 'bare', center: false, scale: false }),
    layers.reLU({ name: 'clipped', maxValue: 6 }),
  );
  const right = run(
    stem,
    layers.zeroPadding2d({ name: 'pad', padding: [[1, 2], [0, 1]] }), // prettier-ignore
    layers.cropping2D({ name: 'crop', cropping: [[1, 2], [0, 1]] }), // prettier-ignore
    convolution('side', { useBias: false }),
    layers.elu({ name: 'elu' }),
    layers.dropout({ name: 'drop', rate: 0.25 }),
  );
  const merged = [
    layers.add({ name: 'add' }),
    layers.multiply({ name: 'multiply' }),
    layers.average({ name: 'average' }),
    layers.maximum({ name: 'maximum' }),
    layers.minimum({ name: 'minimum' }),
  ].map((layer) => run([left, right], layer));
  const body = run(
    merged,
    layers.concatenate({ name: 'concat' }),
    layers.maxPooling2d({ name: 'max', poolSize: 3, strides: 2, padding: 'same' }),
    layers.upSampling2d({ name: 'up', size: [2, 2] }),
    layers.averagePooling2d({ name: 'mean', poolSize: 2 }),
    layers.permute({ name: 'permute', dims: [2, 1, 3] }),
    layers.layerNormalization({ name: 'layer-norm' }),
  );
  const pooled = [
    layers.globalAveragePooling2d({ name: 'global-mean' }),
    layers.globalMaxPooling2d({ name: 'global-max' }),
  ].map((layer) => run(body, layer));
  const outputs = run(
    pooled,
    layers.concatenate({ name: 'features', axis: 1 }),
    layers.batchNormalization({ name: 'vector-norm' }),
    layers.reshape({ name: 'reshape', targetShape: [4, 10] }),
    layers.flatten({ name: 'flatten' }),
    layers.dense({ name: 'hidden', units: 8, activation: 'sigmoid' }),
    layers.dense({ name: 'top', units: ZOO_CLASSES, kernelInitializer: 'leCunUniform' }),
    layers.softmax({ name: 'probabilities' }),
  );
  return tf.model({ inputs: images, outputs });
}

/** The topology of a model, as a job spec has it after it was checked. */
export function topologyOf(model: tf.LayersModel): Topology {
  const topology = JSON.parse(model.toJSON() as unknown as string) as unknown;
  const spec = modelSpecSchema.parse({ family: 'layers', topology });
  if (spec.family !== 'layers') throw new Error(spec.family);
  return spec.topology;
}
