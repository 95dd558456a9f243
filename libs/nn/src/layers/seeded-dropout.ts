import * as tf from '@tensorflow/tfjs';
import { statelessUniform } from '../kernels/stateless-uniform.js';
import { ModelError } from '../model-error.js';
import { hashName } from '../name-hash.js';

export interface SeededDropoutConfig {
  readonly name?: string;
  /** Share of the values that are set to zero, on [0, 1). */
  readonly rate: number;
}

/** Keyword arguments of a training call of a model that has such layers. */
export interface DropoutCall {
  /** int32 scalar: chooses the masks of all layers of this call. */
  readonly dropoutSeed: tf.Scalar;
}

/**
 * Dropout (Srivastava et al. 2014), scaled in training by 1 / (1 - rate); the identity in inference.
 *
 * The mask is made by a stateless TensorFlow operation from the seed of the call and the layer's
 * name: the same call gives the same mask, two layers or two seeds give unlike ones.
 */
export class SeededDropout extends tf.layers.Layer {
  static readonly className = 'SeededDropout';
  readonly rate: number;

  constructor(config: SeededDropoutConfig) {
    super({ ...config });
    this.rate = config.rate;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: Partial<DropoutCall> & { training?: boolean },
  ): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    if (kwargs.training !== true || this.rate === 0) return x;
    const { dropoutSeed } = kwargs;
    if (dropoutSeed === undefined) {
      throw new ModelError(
        `dropoutSeed of ${this.name}: undefined, expected a seed in a call with training: true`,
      );
    }
    return tf.tidy(() => {
      // 31 bits: the layer's own number among the streams of this seed.
      const stream = tf.scalar(hashName(this.name)[0] >>> 1, 'int32');
      const uniform = statelessUniform(x.shape, tf.stack([dropoutSeed, stream]) as tf.Tensor1D);
      const isKept = uniform.greaterEqual(tf.scalar(this.rate)).toFloat();
      return x.mul(isKept.mul(tf.scalar(1 / (1 - this.rate))));
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate };
  }
}
tf.serialization.registerClass(SeededDropout);
