import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from './kernels/register.js';
import { softmaxCrossEntropy } from './loss.js';
import { gradientError } from './testing/gradients.js';
import { normals, relativeError } from './testing/numbers.js';

const NUM_CLASSES = 7;
const labels = [3, 0, 6, 6, 1];

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

const makeLogits = () =>
  tf.tensor2d(normals(labels.length * NUM_CLASSES, 8), [labels.length, NUM_CLASSES]);

/** The definition, in double precision. */
function reference(logits: number[][], smoothing: number): number[] {
  return logits.map((row, sample) => {
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return row.reduce((loss, logit, index) => {
      const target = (index === labels[sample] ? 1 - smoothing : 0) + smoothing / NUM_CLASSES;
      return loss - target * Math.log(Math.exp(logit) / total);
    }, 0);
  });
}

describe('softmaxCrossEntropy', () => {
  it.each([0, 0.1, 0.5])('is its definition for label smoothing %f', (smoothing) => {
    const logits = makeLogits();
    const loss = softmaxCrossEntropy(logits, tf.tensor1d(labels, 'int32'), smoothing);
    expect(loss.shape).toEqual([labels.length]);
    expect(relativeError(loss.dataSync(), reference(logits.arraySync(), smoothing))).toBeLessThan(
      1e-6,
    );
  });

  it.each([0, 0.1, 0.5])('has the gradient of finite differences, smoothing %f', (smoothing) => {
    const f = (x: tf.Tensor) =>
      softmaxCrossEntropy(x as tf.Tensor2D, tf.tensor1d(labels, 'int32'), smoothing);
    expect(gradientError(f, makeLogits())).toBeLessThan(1e-3);
  });

  it('stays finite for logits whose exponential does not', () => {
    const logits = tf.tensor2d([[1000, -1000, 0]]);
    const loss = softmaxCrossEntropy(logits, tf.tensor1d([1], 'int32'), 0);
    expect(loss.arraySync()).toEqual([2000]);
  });

  it('is ln(classes) for a model that knows nothing', () => {
    const loss = softmaxCrossEntropy(tf.zeros([1, 10]), tf.tensor1d([4], 'int32'), 0.1);
    expect(loss.arraySync()[0]).toBeCloseTo(Math.log(10), 6);
  });
});
