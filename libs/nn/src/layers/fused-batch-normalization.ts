import * as tf from '@tensorflow/tfjs';
import { fusedBatchNorm } from '../kernels/batch-norm.js';
import { ModelError } from '../model-error.js';

/** What one layer saw of one batch. Both tensors are kept: whoever reads them disposes of them. */
export interface BatchStatistics {
  readonly layer: FusedBatchNormalization;
  /** float32 [channels] */
  readonly mean: tf.Tensor1D;
  /** float32 [channels], unbiased: the variance that moves the moving variance */
  readonly variance: tf.Tensor1D;
}

/** Keyword arguments of a training call: `model.apply(x, { training: true, batchStatistics: [] })`. */
export interface TrainingCall {
  readonly training: true;
  readonly batchStatistics: BatchStatistics[];
}

export interface FusedBatchNormalizationConfig {
  readonly name?: string;
  /** Share of the moving statistics that a step keeps. */
  readonly momentum?: number;
  readonly epsilon?: number;
  /** Whether gamma starts as zeros and not as ones. */
  readonly zeroInitGamma?: boolean;
  /** False: no beta, the offset is zero. */
  readonly center?: boolean;
  /** False: no gamma, the scale is one. */
  readonly scale?: boolean;
}

type Variable = ReturnType<tf.layers.Layer['addWeight']>;

/**
 * Batch normalisation over the channels of an NHWC input, or the features of a matrix, one operation
 * in each direction.
 *
 * In training it writes nothing: the statistics of the batch are added to the `batchStatistics` of
 * the call, and moving the moving statistics is left to whoever commits the step. In inference it
 * normalises by the moving statistics.
 */
export class FusedBatchNormalization extends tf.layers.Layer {
  static readonly className = 'FusedBatchNormalization';
  readonly momentum: number;
  readonly epsilon: number;
  readonly zeroInitGamma: boolean;
  readonly center: boolean;
  readonly scale: boolean;
  private channels = 0;
  private gamma: Variable | null = null;
  private beta: Variable | null = null;
  private movingMean!: Variable;
  private movingVariance!: Variable;

  constructor(config: FusedBatchNormalizationConfig = {}) {
    super({ ...config });
    this.momentum = config.momentum ?? 0.9;
    this.epsilon = config.epsilon ?? 1e-5;
    this.zeroInitGamma = config.zeroInitGamma ?? false;
    this.center = config.center ?? true;
    this.scale = config.scale ?? true;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = inputShape as tf.Shape;
    const channels = shape.at(-1);
    if (![2, 4].includes(shape.length) || channels === null || channels === undefined) {
      throw new ModelError(
        `input of ${this.name}: shape ${JSON.stringify(shape)}, expected ` +
          '[samples, height, width, channels] or [samples, features]',
      );
    }
    this.channels = channels;
    const ones = tf.initializers.ones();
    const zeros = tf.initializers.zeros();
    const start = this.zeroInitGamma ? zeros : ones;
    if (this.scale) this.gamma = this.addWeight('gamma', [channels], 'float32', start);
    if (this.center) this.beta = this.addWeight('beta', [channels], 'float32', zeros);
    const fixed = [undefined, false] as const;
    this.movingMean = this.addWeight('movingMean', [channels], 'float32', zeros, ...fixed);
    this.movingVariance = this.addWeight('movingVariance', [channels], 'float32', ones, ...fixed);
    super.build(inputShape);
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: Partial<TrainingCall> | { training?: false },
  ): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const x = input.rank === 4 ? (input as tf.Tensor4D) : asImages(input);
      const gamma = this.gamma === null ? tf.ones([this.channels]) : this.gamma.read();
      const beta = this.beta === null ? tf.zeros([this.channels]) : this.beta.read();
      if (kwargs.training !== true) {
        const mean = this.movingMean.read() as tf.Tensor1D;
        const variance = this.movingVariance.read() as tf.Tensor1D;
        const y = tf.batchNorm(x, mean, variance, beta, gamma, this.epsilon);
        return y.rank === input.rank ? y : y.reshape(input.shape);
      }
      if (kwargs.batchStatistics === undefined) {
        throw new ModelError(
          `batchStatistics of ${this.name}: undefined, expected an array in a call with training: true`,
        );
      }
      const [scale, offset] = [gamma, beta] as [tf.Tensor1D, tf.Tensor1D];
      const { y, mean, variance } = fusedBatchNorm(x, scale, offset, this.epsilon);
      kwargs.batchStatistics.push({
        layer: this,
        mean: tf.keep(mean),
        variance: tf.keep(variance),
      });
      return y.rank === input.rank ? y : y.reshape(input.shape);
    });
  }

  /** Names of the two variables that the batch statistics move. */
  get movingNames(): { movingMean: string; movingVariance: string } {
    return {
      movingMean: this.movingMean.originalName,
      movingVariance: this.movingVariance.originalName,
    };
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { momentum, epsilon, zeroInitGamma, center, scale } = this;
    return { ...super.getConfig(), momentum, epsilon, zeroInitGamma, center, scale };
  }
}
tf.serialization.registerClass(FusedBatchNormalization);

/** [samples, features] as images of one pixel. */
function asImages(x: tf.Tensor): tf.Tensor4D {
  const [samples = 0, features = 0] = x.shape;
  return x.reshape([samples, 1, 1, features]);
}
