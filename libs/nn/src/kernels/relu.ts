import * as tf from '@tensorflow/tfjs';
import { BACKEND_NAME, typeAttribute, type TensorFlowBackend } from './backend.js';

const BACKWARD = 'ReluGrad';

const backwardKernel: tf.KernelConfig = {
  kernelName: BACKWARD,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, backend }) => {
    const { dy, y } = inputs as Record<'dy' | 'y', tf.TensorInfo>;
    const tensorFlow = backend as TensorFlowBackend;
    return tensorFlow.executeSingleOutput('ReluGrad', [typeAttribute(tensorFlow, 'T')], [dy, y]);
  },
};

/** The gradient from the output alone (y > 0 where x > 0), so that x need not outlive the forward pass. */
const gradient: tf.GradConfig = {
  kernelName: tf.Relu,
  outputsToSave: [true],
  gradFunc: (dy, [y]) => ({
    x: () => tf.engine().runKernel(BACKWARD, { dy, y } as tf.NamedTensorMap),
  }),
};

/** `relu` keeps its forward kernel; its gradient becomes one operation instead of three. */
export function registerRelu(): void {
  tf.registerKernel(backwardKernel);
  tf.registerGradient(gradient);
}
