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
  const origin = at.dataSync<'float32'>();
  const evaluate = (point: Float32Array): Float32Array => {
    const x = tf.tensor(point, at.shape, 'float32');
    const y = tf.tidy(() => f(x));
    const values = y.dataSync<'float32'>();
    tf.dispose([x, y]);
    return values;
  };
  const weights = normals(evaluate(origin).length, 99);
  const objective = (index: number, offset: number) => {
    const point = origin.slice();
    point[index] = (origin[index] ?? 0) + offset;
    return evaluate(point).reduce((sum, y, i) => sum + y * (weights[i] ?? 0), 0);
  };
  const numeric = Array.from(origin, (_, index) => {
    const near = objective(index, STEP) - objective(index, -STEP);
    const far = objective(index, 2 * STEP) - objective(index, -2 * STEP);
    return (8 * near - far) / (12 * STEP);
  });
  const weighted = (x: tf.Tensor) => {
    const y = f(x);
    return y.mul(tf.tensor(weights, y.shape, 'float32')).sum();
  };
  const gradient = tf.grad(weighted)(at);
  const analytic = gradient.dataSync<'float32'>();
  gradient.dispose();
  return relativeError(analytic, numeric);
}
