import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from '../kernels/register.js';
import { FusedBatchNormalization } from '../layers/fused-batch-normalization.js';
import { SubsampleShortcut } from '../layers/subsample-shortcut.js';
import { ModelError } from '../model-error.js';
import { normals, relativeError } from '../testing/numbers.js';
import { buildModel } from './build-model.js';
import { convolution } from './parts.js';
import { trainable } from './trainable-model.js';

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

const images = (...shape: [number, number, number, number]) =>
  tf.tensor4d(
    normals(
      shape.reduce((a, b) => a * b),
      21,
    ),
    shape,
  );

describe('FusedBatchNormalization', () => {
  const input = () => images(4, 5, 3, 6);
  const run = (layer: tf.layers.Layer, x: tf.Tensor, kwargs: object) =>
    (layer.apply(x, kwargs) as tf.Tensor).dataSync();

  it('gives what the stock layer gives, in training and in inference', () => {
    const stock = tf.layers.batchNormalization({ epsilon: 1e-5 });
    const fused = new FusedBatchNormalization();
    const x = input();
    for (const layer of [stock, fused]) layer.apply(x);
    const weights = [1, 2, 3, 4].map((seed) => tf.tensor1d(normals(6, seed)).abs());
    for (const layer of [stock, fused]) layer.setWeights(weights);
    const inference = run(fused, x, { training: false });
    expect(relativeError(inference, run(stock, x, { training: false }))).toBeLessThan(1e-6);
    const training = run(fused, x, { training: true, batchStatistics: [] });
    expect(relativeError(training, run(stock, x, { training: true }))).toBeLessThan(1e-5);
    expect(relativeError(training, inference)).toBeGreaterThan(0.1);
  });

  it('writes no variable in training', () => {
    const layer = new FusedBatchNormalization();
    layer.apply(input());
    const before = layer.getWeights().map((weight) => [...weight.dataSync()]);
    layer.apply(input(), { training: true, batchStatistics: [] });
    expect(layer.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before);
  });

  it('refuses a training call that would lose the statistics', () => {
    const layer = new FusedBatchNormalization({ name: 'norm' });
    const act = () => layer.apply(input(), { training: true });
    expect(act).toThrow(ModelError);
    expect(act).toThrow('batchStatistics of norm');
  });

  it('takes features as images of one pixel', () => {
    const layer = new FusedBatchNormalization();
    const features = tf.tensor2d(normals(24, 5), [4, 6]);
    const training = { training: true, batchStatistics: [] };
    const asFeatures = layer.apply(features, training) as tf.Tensor;
    const asImages = layer.apply(features.reshape([4, 1, 1, 6]), training) as tf.Tensor;
    expect(asFeatures.shape).toEqual([4, 6]);
    expect(asFeatures.dataSync()).toEqual(asImages.dataSync());
  });

  it('refuses inputs that are neither images nor features', () => {
    const act = () => new FusedBatchNormalization({ name: 'norm' }).apply(tf.zeros([2, 3, 4]));
    expect(act).toThrow('input of norm: shape [2,3,4]');
  });
});

describe('SubsampleShortcut', () => {
  it('keeps every other pixel and adds channels of zeros', () => {
    const x = images(1, 3, 4, 1);
    const pixels = x.dataSync();
    const layer = new SubsampleShortcut({ stride: 2, filters: 3 });
    const y = layer.apply(x) as tf.Tensor;
    expect(y.shape).toEqual(layer.computeOutputShape(x.shape));
    expect([...y.dataSync()]).toEqual([0, 2, 8, 10].flatMap((pixel) => [pixels[pixel], 0, 0]));
  });
});

describe('convolution', () => {
  it.each([
    [5, 3, 2],
    [6, 3, 2],
    [8, 7, 2],
    [5, 3, 1],
    [6, 1, 2],
  ])('of %i pixels by %i with stride %i pads alike on every side', (size, kernelSize, stride) => {
    const input = tf.input({ shape: [size, size, 1] });
    const output = convolution(input, 'conv', { filters: 1, kernelSize, stride });
    const model = tf.model({ inputs: input, outputs: output });
    const kernel = normals(kernelSize ** 2, 5);
    model.setWeights([tf.tensor4d(kernel, [kernelSize, kernelSize, 1, 1])]);
    const x = images(1, size, size, 1);
    const pixels = x.dataSync();
    const padding = (kernelSize - 1) / 2;
    const outputSize = Math.floor((size + 2 * padding - kernelSize) / stride) + 1;
    const at = (row: number, column: number) => {
      let sum = 0;
      for (let i = 0; i < kernelSize; i++) {
        for (let j = 0; j < kernelSize; j++) {
          const y = row * stride + i - padding;
          const z = column * stride + j - padding;
          const inside = y >= 0 && z >= 0 && y < size && z < size;
          if (inside) sum += kernel[i * kernelSize + j]! * pixels[y * size + z]!;
        }
      }
      return sum;
    };
    const expected = Array.from({ length: outputSize ** 2 }, (_, place) =>
      at(Math.floor(place / outputSize), place % outputSize),
    );
    const actual = (model.predict(x) as tf.Tensor).dataSync();
    expect(relativeError(actual, expected)).toBeLessThan(1e-5);
  });
});

describe('forwardTraining', () => {
  const build = () =>
    buildModel(
      { family: 'resnet-cifar', depth: 8, shortcuts: true },
      { height: 8, width: 8, channels: 1 },
      4,
      3,
    );

  it('reports the statistics of each layer by the names of what they move', () => {
    const model = build();
    const x = images(4, 8, 8, 1);
    const { batchStatistics } = model.forwardTraining(x);
    const names = batchStatistics.flatMap((s) => [s.movingMean, s.movingVariance]);
    expect(names).toEqual(model.movingStatistics.map(({ name }) => name));
    const [first] = batchStatistics;
    const kernel = model.parameters[0]!.variable as tf.Tensor4D;
    const { mean, variance } = tf.moments(tf.conv2d(x, kernel, 1, 'same'), [0, 1, 2]);
    const unbiased = variance.mul(256 / 255);
    expect(first!.momentum).toBe(0.9);
    expect(relativeError(first!.mean.dataSync(), mean.dataSync())).toBeLessThan(1e-5);
    expect(relativeError(first!.variance.dataSync(), unbiased.dataSync())).toBeLessThan(1e-5);
  });

  it('leaves only its results in the scope of the caller', () => {
    const model = build();
    const x = images(4, 8, 8, 1);
    const before = tf.memory().numTensors;
    tf.tidy(() => void model.forwardTraining(x));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves nothing behind when a layer fails', () => {
    class Failing extends tf.layers.Layer {
      static readonly className = 'Failing';
      override call(): tf.Tensor {
        throw new Error('out of order');
      }
    }
    const input = tf.input({ shape: [4, 4, 1] });
    const normalized = new FusedBatchNormalization().apply(input) as tf.SymbolicTensor;
    const outputs = new Failing({}).apply(normalized) as tf.SymbolicTensor;
    const model = trainable(tf.model({ inputs: input, outputs }));
    const x = images(2, 4, 4, 1);
    const before = tf.memory().numTensors;
    expect(() => model.forwardTraining(x)).toThrow('out of order');
    expect(tf.memory().numTensors).toBe(before);
  });
});
