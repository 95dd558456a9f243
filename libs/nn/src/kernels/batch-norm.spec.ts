import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientError } from '../testing/gradients.js';
import { normals, relativeError } from '../testing/numbers.js';
import { fusedBatchNorm } from './batch-norm.js';
import { registerFusedKernels } from './register.js';

const SHAPE: [number, number, number, number] = [3, 4, 2, 3];
const EPSILON = 1e-3;

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

const makeInputs = () => ({
  x: tf
    .tensor4d(normals(72, 1), SHAPE)
    .mul(2)
    .add(0.5)
    .as4D(...SHAPE),
  scale: tf.tensor1d([0.7, -1.3, 2]),
  offset: tf.tensor1d([0.1, 0, -3]),
});

describe('fusedBatchNorm', () => {
  it('normalises by the biased variance and reports the unbiased one', () => {
    const { x, scale, offset } = makeInputs();
    const { y, mean, variance } = fusedBatchNorm(x, scale, offset, EPSILON);
    const values = x.reshape([24, 3]).arraySync() as number[][];
    const scales = scale.arraySync();
    const offsets = offset.arraySync();
    const columns = [0, 1, 2].map((channel) => values.map((row) => row[channel]!));
    const means = columns.map((column) => column.reduce((sum, v) => sum + v, 0) / 24);
    const squares = columns.map((column, channel) =>
      column.reduce((sum, v) => sum + (v - means[channel]!) ** 2, 0),
    );
    expect(relativeError(mean.dataSync(), means)).toBeLessThan(1e-6);
    expect(
      relativeError(
        variance.dataSync(),
        squares.map((sum) => sum / 23),
      ),
    ).toBeLessThan(1e-6);
    const expected = values.flatMap((row) =>
      row.map(
        (v, channel) =>
          ((v - means[channel]!) / Math.sqrt(squares[channel]! / 24 + EPSILON)) * scales[channel]! +
          offsets[channel]!,
      ),
    );
    expect(relativeError(y.dataSync(), expected)).toBeLessThan(1e-6);
  });

  it('has the gradient in its input that finite differences give', () => {
    const { x, scale, offset } = makeInputs();
    const f = (at: tf.Tensor) => fusedBatchNorm(at as tf.Tensor4D, scale, offset, EPSILON).y;
    expect(gradientError(f, x)).toBeLessThan(1e-3);
  });

  it('has the gradient in its scale that finite differences give', () => {
    const { x, scale, offset } = makeInputs();
    const f = (at: tf.Tensor) => fusedBatchNorm(x, at as tf.Tensor1D, offset, EPSILON).y;
    expect(gradientError(f, scale)).toBeLessThan(1e-3);
  });

  it('has the gradient in its offset that finite differences give', () => {
    const { x, scale, offset } = makeInputs();
    const f = (at: tf.Tensor) => fusedBatchNorm(x, scale, at as tf.Tensor1D, EPSILON).y;
    expect(gradientError(f, offset)).toBeLessThan(1e-3);
  });

  it('leaves nothing behind in memory', () => {
    const { x, scale, offset } = makeInputs();
    const step = () => {
      const gradient = tf.grad((at) => fusedBatchNorm(at as tf.Tensor4D, scale, offset, EPSILON).y);
      tf.dispose(gradient(x));
    };
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });
});
