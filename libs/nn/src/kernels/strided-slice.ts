import * as tf from '@tensorflow/tfjs';
import { BACKEND_NAME, typeAttribute, type TensorFlowBackend } from './backend.js';

const BACKWARD = 'StridedSliceGrad';

const maskNames = {
  beginMask: 'begin_mask',
  endMask: 'end_mask',
  ellipsisMask: 'ellipsis_mask',
  newAxisMask: 'new_axis_mask',
  shrinkAxisMask: 'shrink_axis_mask',
} as const;

type StridedSliceAttributes = Record<'begin' | 'end' | 'strides', number[]> &
  Record<keyof typeof maskNames, number>;
type StridedSliceGradAttributes = StridedSliceAttributes & { shape: number[] };

const backwardKernel: tf.KernelConfig = {
  kernelName: BACKWARD,
  backendName: BACKEND_NAME,
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { dy } = inputs as Record<'dy', tf.TensorInfo>;
    const slice = attrs as unknown as StridedSliceGradAttributes;
    const tensorFlow = backend as TensorFlowBackend;
    const vectors = [slice.shape, slice.begin, slice.end, slice.strides].map((values) =>
      tf.tensor1d(values, 'int32'),
    );
    const masks = Object.entries(maskNames).map(([field, name]) => ({
      name,
      type: tensorFlow.binding.TF_ATTR_INT,
      value: slice[field as keyof typeof maskNames],
    }));
    const dx = tensorFlow.executeSingleOutput(
      'StridedSliceGrad',
      [typeAttribute(tensorFlow, 'T'), typeAttribute(tensorFlow, 'Index', 'int32'), ...masks],
      [...vectors, dy],
    );
    tf.dispose(vectors);
    return dx;
  },
};

const gradient: tf.GradConfig = {
  kernelName: tf.StridedSlice,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () =>
      tf
        .engine()
        .runKernel(BACKWARD, { dy } as tf.NamedTensorMap, { ...attrs, shape: x?.shape ?? [] }),
  }),
};

/** Gives `stridedSlice` the gradient that TensorFlow.js lacks. */
export function registerStridedSlice(): void {
  tf.registerKernel(backwardKernel);
  tf.registerGradient(gradient);
}
