import * as tf from '@tensorflow/tfjs';
import { BACKEND_NAME, typeAttribute, type TensorFlowBackend } from './backend.js';

const forwardKernel: tf.KernelConfig = {
  kernelName: tf.LogSoftmax,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, backend }) => {
    const { logits } = inputs as Record<'logits', tf.TensorInfo>;
    const tensorFlow = backend as TensorFlowBackend;
    return tensorFlow.executeSingleOutput('LogSoftmax', [typeAttribute(tensorFlow, 'T')], [logits]);
  },
};

/** The backend has no kernel of its own for LogSoftmax: `tf.logSoftmax` is five operations. */
export function registerLogSoftmax(): void {
  tf.registerKernel(forwardKernel);
}

/** Logarithm of the softmax over classes, as one operation without gradient: float32 [samples, classes]. */
export function fusedLogSoftmax(logits: tf.Tensor2D): tf.Tensor2D {
  return tf.engine().runKernel(tf.LogSoftmax, { logits });
}
