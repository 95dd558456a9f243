import * as tf from '@tensorflow/tfjs';
import { normals, relativeError } from './numbers.js';

/** Distance between the points of the stencil: float32 rounding and the h^4 term are both small. */
const STEP = 0.02;

/**
 * Compares the gradient of `f` in one tensor with five-point central differences, at every
 * coordinate. The output is weighted by fixed random numbers and summed in double precision.
 * @returns the largest difference, as a share of the largest derivative
 */
export function gradientError(f: (x: tf.Tensor) => tf.Tensor, at: tf.Tensor): number {
  const values = Float32Array.from(at.dataSync());
  const evaluate = (point: Float32Array) =>
    tf.tidy(() => f(tf.tensor(point, at.shape, 'float32')).dataSync());
  const weights = normals(evaluate(values).length, 99);
  const objective = (index: number, offset: number) => {
    const point = values.slice();
    point[index] = (values[index] ?? 0) + offset;
    return evaluate(point).reduce((sum, y, i) => sum + y * (weights[i] ?? 0), 0);
  };
  const numeric = Array.from(values, (_, index) => {
    const near = objective(index, STEP) - objective(index, -STEP);
    const far = objective(index, 2 * STEP) - objective(index, -2 * STEP);
    return (8 * near - far) / (12 * STEP);
  });
  const analytic = tf.tidy(() => {
    const weighted = (x: tf.Tensor) => {
      const y = f(x);
      return y.mul(tf.tensor(weights, y.shape, 'float32')).sum();
    };
    return tf.grad(weighted)(at).dataSync();
  });
  return relativeError(analytic, numeric);
}
