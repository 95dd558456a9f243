import * as tf from '@tensorflow/tfjs';
import { FusedBatchNormalization } from '../layers/fused-batch-normalization.js';
import { SeededDropout } from '../layers/seeded-dropout.js';

/** A value inside a functional model under construction: [samples, height, width, channels]. */
export type Symbolic = tf.SymbolicTensor;

export interface ConvolutionShape {
  readonly filters: number;
  /** Odd. */
  readonly kernelSize: number;
  readonly stride: number;
}

/** A layer with one input and one output. */
export function through(layer: tf.layers.Layer, x: Symbolic | Symbolic[]): Symbolic {
  return layer.apply(x) as Symbolic;
}

/**
 * A convolution without bias, padded by (kernelSize - 1) / 2 on every side. TensorFlow's 'same' is
 * that only for stride 1; with a stride it pads the far side more, so the zeros are put explicitly,
 * and weights mean the same as in He et al. and torchvision.
 */
export function convolution(x: Symbolic, name: string, shape: ConvolutionShape): Symbolic {
  const { filters, kernelSize, stride } = shape;
  const explicit = stride > 1 && kernelSize > 1;
  const padding = (kernelSize - 1) / 2;
  const padded = explicit
    ? through(tf.layers.zeroPadding2d({ padding: [padding, padding], name: `${name}/pad` }), x)
    : x;
  const layer = tf.layers.conv2d({
    name,
    filters,
    kernelSize,
    strides: stride,
    padding: explicit || kernelSize === 1 ? 'valid' : 'same',
    useBias: false,
    kernelInitializer: 'zeros',
  });
  return through(layer, padded);
}

export function normalization(x: Symbolic, name: string, zeroInitGamma = false): Symbolic {
  return through(new FusedBatchNormalization({ name, zeroInitGamma }), x);
}

export function relu(x: Symbolic, name: string): Symbolic {
  return through(tf.layers.activation({ activation: 'relu', name }), x);
}

/** Batch norm and relu. */
export function activated(x: Symbolic, name: string, place: number | '' = ''): Symbolic {
  return relu(normalization(x, `${name}/norm${place}`), `${name}/relu${place}`);
}

/** The same values where there is no rate. */
export function dropped(x: Symbolic, name: string, rate: number | undefined): Symbolic {
  return rate === undefined ? x : through(new SeededDropout({ name, rate }), x);
}

/** The first convolution, activated. */
export function stem(x: Symbolic, filters: number, kernelSize: number, stride: number): Symbolic {
  return activated(convolution(x, 'stem/conv', { filters, kernelSize, stride }), 'stem');
}

/**
 * 3x3 pooling with stride 2, padded by one on every side. Zeros stand for "nothing" here, because
 * the input comes from relu.
 */
export function stemPooling(x: Symbolic): Symbolic {
  const pad = tf.layers.zeroPadding2d({ padding: [1, 1], name: 'stem/pool/pad' });
  const pool = tf.layers.maxPooling2d({
    poolSize: 3,
    strides: 2,
    padding: 'valid',
    name: 'stem/pool',
  });
  return through(pool, through(pad, x));
}

/** Global average pooling and the fully connected layer: [samples, numClasses] logits. */
export function classifier(x: Symbolic, numClasses: number): Symbolic {
  const pooled = through(tf.layers.globalAveragePooling2d({ name: 'pool' }), x);
  const layer = tf.layers.dense({
    name: 'classifier',
    units: numClasses,
    kernelInitializer: 'zeros',
    biasInitializer: 'zeros',
  });
  return through(layer, pooled);
}
