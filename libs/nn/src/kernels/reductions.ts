import * as tf from '@tensorflow/tfjs';

/** `dy` of a reduction over `axis`, repeated to the shape it was reduced from. */
function spread(dy: tf.Tensor, shape: number[], axis: number | number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis, shape);
  const kept = shape.map((size, dimension) => (axes.includes(dimension) ? 1 : size));
  return tf.tile(
    dy.reshape(kept),
    shape.map((size, dimension) => (axes.includes(dimension) ? size : 1)),
  );
}

function gradientOf(kernelName: string, scaled: boolean): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({
      x: () => {
        const shape = x?.shape ?? [];
        const { axis } = attrs as { axis: number | number[] };
        const numReduced = tf.util
          .parseAxisParam(axis, shape)
          .reduce((count, dimension) => count * (shape[dimension] ?? 1), 1);
        const each = scaled ? tf.mul(dy as tf.Tensor, 1 / numReduced) : (dy as tf.Tensor);
        return spread(each, shape, axis);
      },
    }),
  };
}

/**
 * Gradients of `mean` and `sum` that repeat the small gradient. Those of TensorFlow.js multiply by
 * a tensor of ones as large as the input, which a recorded graph would keep as a constant.
 */
export function registerReductions(): void {
  tf.registerGradient(gradientOf(tf.Mean, true));
  tf.registerGradient(gradientOf(tf.Sum, false));
}
