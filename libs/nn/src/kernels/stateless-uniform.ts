import * as tf from '@tensorflow/tfjs';
import { BACKEND_NAME, typeAttribute, type TensorFlowBackend } from './backend.js';

const NAME = 'StatelessRandomUniform';

const kernel: tf.KernelConfig = {
  kernelName: NAME,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { seed } = inputs as Record<'seed', tf.TensorInfo>;
    const { shape } = attrs as { shape: number[] };
    const tensorFlow = backend as TensorFlowBackend;
    const sizes = tf.tensor1d(shape, 'int32');
    const output = tensorFlow.executeSingleOutput(
      NAME,
      [
        typeAttribute(tensorFlow, 'T', 'int32'),
        typeAttribute(tensorFlow, 'dtype'),
        typeAttribute(tensorFlow, 'Tseed', 'int32'),
      ],
      [sizes, seed],
    );
    sizes.dispose();
    return output;
  },
};

export function registerStatelessUniform(): void {
  tf.registerKernel(kernel);
}

/**
 * Random numbers on [0, 1) as a pure function of `seed`, by TensorFlow's Philox generator; float32
 * of `shape`, without gradient.
 * @param seed int32 [2]
 */
export function statelessUniform(shape: readonly number[], seed: tf.Tensor1D): tf.Tensor {
  return tf.engine().runKernel(NAME, { seed }, { shape: [...shape] });
}
