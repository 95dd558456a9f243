import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientError } from '../testing/gradients.js';
import { normals, relativeError } from '../testing/numbers.js';
import { fusedLogSoftmax } from './log-softmax.js';
import { registerFusedKernels } from './register.js';

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

describe('gradients of the registered kernels', () => {
  it('relu: as finite differences away from the kink, 0 at it', () => {
    // Every value is at least 0.5 from the kink.
    const away = normals(60, 2).map((value) => value + Math.sign(value) / 2);
    expect(gradientError((x) => tf.relu(x), tf.tensor(away, [3, 4, 5]))).toBeLessThan(1e-4);
    const atKink = tf.grad((x) => tf.relu(x))(tf.tensor1d([-1, -0, 0, 1]));
    expect(atKink.arraySync()).toEqual([0, 0, 0, 1]);
  });

  it('stridedSlice: every other row and column', () => {
    const x = tf.tensor(normals(2 * 5 * 4 * 3, 3), [2, 5, 4, 3]);
    const f = (at: tf.Tensor) => tf.stridedSlice(at, [0, 0, 0, 0], at.shape, [1, 2, 2, 1]);
    expect(gradientError(f, x)).toBeLessThan(1e-4);
  });

  it('stridedSlice: masks, negative strides and dropped axes', () => {
    const x = tf.tensor(normals(4 * 5 * 3, 4), [4, 5, 3]);
    const f = (at: tf.Tensor) =>
      tf.stridedSlice(at, [1, 4, 1], [3, 0, 2], [1, -2, 1], 0, 0b010, 0, 0, 0b100);
    expect(f(x).shape).toEqual([2, 3]);
    expect(gradientError(f, x)).toBeLessThan(1e-4);
  });

  it.each([
    ['all axes', undefined, false],
    ['the axes of pooling', [1, 2], false],
    ['a negative axis', -1, false],
    ['kept axes', [0, 2], true],
  ])('mean and sum over %s', (_, axis, keepDims) => {
    const x = tf.tensor(normals(2 * 3 * 4 * 2, 5), [2, 3, 4, 2]);
    expect(gradientError((at) => tf.mean(at, axis, keepDims), x)).toBeLessThan(1e-3);
    expect(gradientError((at) => tf.sum(at, axis, keepDims), x)).toBeLessThan(1e-3);
  });

  it('log-softmax has the values of the plain operations, also for large logits', () => {
    const logits = tf.tensor2d(normals(40, 6), [4, 10]).mul(50).as2D(4, 10);
    const plain = tf.logSoftmax(logits, 1);
    expect(relativeError(fusedLogSoftmax(logits).dataSync(), plain.dataSync())).toBeLessThan(1e-5);
  });

  it('registers once', () => {
    const before = tf.getKernel('FusedBatchNormTraining', 'tensorflow');
    registerFusedKernels();
    expect(tf.getKernel('FusedBatchNormTraining', 'tensorflow')).toBe(before);
  });
});
