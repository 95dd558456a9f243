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
}

type Variable = ReturnType<tf.layers.Layer['addWeight']>;

/**
 * Batch normalisation over the channels of an NHWC input, one operation in each direction.
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
  private gamma!: Variable;
  private beta!: Variable;
  private movingMean!: Variable;
  private movingVariance!: Variable;

  constructor(config: FusedBatchNormalizationConfig = {}) {
    super({ ...config });
    this.momentum = config.momentum ?? 0.9;
    this.epsilon = config.epsilon ?? 1e-5;
    this.zeroInitGamma = config.zeroInitGamma ?? false;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = inputShape as tf.Shape;
    const channels = shape[3];
    if (shape.length !== 4 || channels === null || channels === undefined) {
      throw new ModelError(
        `input of ${this.name}: shape ${JSON.stringify(shape)}, expected [samples, height, width, channels]`,
      );
    }
    const ones = tf.initializers.ones();
    const zeros = tf.initializers.zeros();
    const start = this.zeroInitGamma ? zeros : ones;
    this.gamma = this.addWeight('gamma', [channels], 'float32', start);
    this.beta = this.addWeight('beta', [channels], 'float32', zeros);
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
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      const gamma = this.gamma.read() as tf.Tensor1D;
      const beta = this.beta.read() as tf.Tensor1D;
      if (kwargs.training !== true) {
        const mean = this.movingMean.read() as tf.Tensor1D;
        const variance = this.movingVariance.read() as tf.Tensor1D;
        return tf.batchNorm(x, mean, variance, beta, gamma, this.epsilon);
      }
      if (kwargs.batchStatistics === undefined) {
        throw new ModelError(
          `batchStatistics of ${this.name}: undefined, expected an array in a call with training: true`,
        );
      }
      const { y, mean, variance } = fusedBatchNorm(x, gamma, beta, this.epsilon);
      kwargs.batchStatistics.push({
        layer: this,
        mean: tf.keep(mean),
        variance: tf.keep(variance),
      });
      return y;
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
    const { momentum, epsilon, zeroInitGamma } = this;
    return { ...super.getConfig(), momentum, epsilon, zeroInitGamma };
  }
}
tf.serialization.registerClass(FusedBatchNormalization);
