import * as tf from '@tensorflow/tfjs';
import { fusedLogSoftmax } from './kernels/log-softmax.js';

/**
 * Cross-entropy of the softmax of `logits` with the labels, smoothed as by Szegedy et al. 2016: a
 * share `labelSmoothing` of the target is spread evenly over all classes.
 *
 * Not by TensorFlow's (Sparse)SoftmaxCrossEntropyWithLogits: on a GPU these refuse to run with
 * deterministic operations.
 *
 * @param logits float32 [samples, classes]
 * @param labels int32 [samples], classes from 0
 * @param labelSmoothing on [0, 1)
 * @returns float32 [samples], differentiable in `logits`
 */
export function softmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  labelSmoothing: number,
): tf.Tensor1D {
  const numClasses = logits.shape[1];
  const offValue = labelSmoothing / numClasses;
  const onValue = 1 - labelSmoothing + offValue;
  const loss = tf.customGrad((x, save) => {
    const targets = tf.oneHot(labels, numClasses, onValue, offValue, 'float32');
    const logProbabilities = fusedLogSoftmax(x as tf.Tensor2D);
    (save as tf.GradSaveFunc)([logProbabilities, targets]);
    return {
      value: targets.mul(logProbabilities).sum(1).neg(),
      gradFunc: (dy, saved) => {
        const [logProbability, target] = saved as [tf.Tensor2D, tf.Tensor2D];
        // Targets add up to 1, so the gradient is softmax - target.
        return logProbability.exp().sub(target).mul(dy.expandDims(1));
      },
    };
  });
  return loss(logits) as tf.Tensor1D;
}
