import * as tf from '@tensorflow/tfjs';
import {
  BACKEND_NAME,
  typeAttribute,
  type OpAttribute,
  type TensorFlowBackend,
} from './backend.js';

const FORWARD = 'FusedBatchNormTraining';
const BACKWARD = 'FusedBatchNormTrainingGrad';

function attributes(backend: TensorFlowBackend, epsilon: number): OpAttribute[] {
  const { binding } = backend;
  return [
    typeAttribute(backend, 'T'),
    typeAttribute(backend, 'U'),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
}

const forwardKernel: tf.KernelConfig = {
  kernelName: FORWARD,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { x, scale, offset } = inputs as Record<'x' | 'scale' | 'offset', tf.TensorInfo>;
    const { epsilon } = attrs as { epsilon: number };
    const tensorFlow = backend as TensorFlowBackend;
    // In training mode TensorFlow takes no running statistics: both inputs are empty.
    const none = tf.tensor1d([], 'float32');
    const outputs = tensorFlow.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...attributes(tensorFlow, epsilon),
        { name: 'exponential_avg_factor', type: tensorFlow.binding.TF_ATTR_FLOAT, value: 1 },
      ],
      [x, scale, offset, none, none],
      6,
    );
    none.dispose();
    return outputs;
  },
};

const backwardKernel: tf.KernelConfig = {
  kernelName: BACKWARD,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { dy, x, scale, reserve1, reserve2, reserve3 } = inputs as Record<
      'dy' | 'x' | 'scale' | 'reserve1' | 'reserve2' | 'reserve3',
      tf.TensorInfo
    >;
    const { epsilon } = attrs as { epsilon: number };
    const tensorFlow = backend as TensorFlowBackend;
    return tensorFlow.executeMultipleOutputs(
      'FusedBatchNormGradV3',
      attributes(tensorFlow, epsilon),
      [dy, x, scale, reserve1, reserve2, reserve3],
      5,
    );
  },
};

const gradient: tf.GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ['x', 'scale'],
  // The three reserves go to the gradient as they are: what they hold differs between devices.
  outputsToSave: [false, false, false, true, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [dy] = dys as tf.Tensor[];
    const [x, scale, reserve1, reserve2, reserve3] = saved;
    const inputs = { dy, x, scale, reserve1, reserve2, reserve3 } as tf.NamedTensorMap;
    // Here and not in the closures, so that one operation serves all three gradients.
    const outputs: tf.Tensor[] = tf.engine().runKernel(BACKWARD, inputs, attrs);
    const [dx, dScale, dOffset] = outputs as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { x: () => dx, scale: () => dScale, offset: () => dOffset };
  },
};

export function registerBatchNorm(): void {
  tf.registerKernel(forwardKernel);
  tf.registerKernel(backwardKernel);
  tf.registerGradient(gradient);
}

/**
 * Batch normalisation by the statistics of this batch, as one operation (Ioffe and Szegedy 2015).
 * @param x float32 [samples, height, width, channels]
 * @param scale float32 [channels], gamma
 * @param offset float32 [channels], beta
 * @returns `y` like x; the batch's `mean` and its unbiased `variance` (N - 1 in the denominator,
 *   N = samples * height * width), both float32 [channels] and without gradient. y itself is
 *   normalised by the biased variance.
 */
export function fusedBatchNorm(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor4D; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  const inputs = { x, scale, offset } as unknown as tf.NamedTensorMap;
  const outputs: tf.Tensor[] = tf.engine().runKernel(FORWARD, inputs, { epsilon });
  const [y, mean, variance] = outputs as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
  return { y, mean, variance };
}
