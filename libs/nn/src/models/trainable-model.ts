import * as tf from '@tensorflow/tfjs';
import type { BatchStatistics, TrainingCall } from '../layers/fused-batch-normalization.js';
import { SeededDropout, type DropoutCall } from '../layers/seeded-dropout.js';

/** A variable that the optimizer moves. */
export interface Parameter {
  /** Stable, such as `stage1/block0/conv1/kernel`. */
  readonly name: string;
  readonly variable: tf.Variable;
  /** Name of the layer that it belongs to. */
  readonly layer: string;
  /** Whether weight decay applies: to kernels, not to biases and batch norm. */
  readonly decay: boolean;
}

/** A variable that commits move by batch statistics. */
export interface MovingStatistic {
  readonly name: string;
  readonly variable: tf.Variable;
}

/** Statistics of one batch at one batch-norm layer: what commits move the moving statistics by. */
export interface LayerStatistics {
  /** float32 [channels] */
  readonly mean: tf.Tensor1D;
  /** float32 [channels], unbiased (N - 1 in the denominator), as moving variances are in TensorFlow and PyTorch. */
  readonly variance: tf.Tensor1D;
  /** Name of the moving statistic that `mean` moves. */
  readonly movingMean: string;
  /** Name of the moving statistic that `variance` moves. */
  readonly movingVariance: string;
  /** moving = momentum * moving + (1 - momentum) * batch */
  readonly momentum: number;
}

export interface TrainingOutput {
  /** float32 [samples, classes] */
  readonly logits: tf.Tensor2D;
  /** In the order of the layers. */
  readonly batchStatistics: LayerStatistics[];
}

export interface TrainableModel {
  /** From images [samples, height, width, channels] to logits [samples, classes], without softmax. */
  readonly model: tf.LayersModel;
  /** Whether the training pass has random masks, and so needs a seed. */
  readonly isRandom: boolean;
  /**
   * Forward pass by the statistics of this batch; changes no variable.
   * @param seed int32 scalar: chooses the masks of dropout
   */
  forwardTraining(images: tf.Tensor4D, seed?: tf.Scalar): TrainingOutput;
  /** Forward pass by the moving statistics: float32 [samples, classes]. */
  forwardInference(images: tf.Tensor4D): tf.Tensor2D;
  /** In the order of the layers. */
  readonly parameters: readonly Parameter[];
  readonly movingStatistics: readonly MovingStatistic[];
  /** Frees the variables, which TensorFlow.js keeps until then, whoever else has forgotten the model. */
  dispose(): void;
}

type LayerWeight = tf.layers.Layer['trainableWeights'][number];

const nameOf = (weight: LayerWeight): string => weight.originalName;
const variableOf = (weight: LayerWeight): tf.Variable => weight.read() as tf.Variable;

/**
 * Wraps a `tf.layers` model whose batch norm and dropout, if it has any, are
 * {@link FusedBatchNormalization} and {@link SeededDropout}.
 */
export function trainable(model: tf.LayersModel): TrainableModel {
  const weights = model.layers.flatMap((layer) =>
    layer.trainableWeights.map((weight) => ({ layer: layer.name, weight })),
  );
  const fixed = model.layers.flatMap((layer) => layer.nonTrainableWeights);
  return {
    model,
    parameters: weights.map(({ layer, weight }) => ({
      name: nameOf(weight),
      variable: variableOf(weight),
      layer,
      decay: weight.shape.length > 1,
    })),
    movingStatistics: fixed.map((weight) => ({
      name: nameOf(weight),
      variable: variableOf(weight),
    })),
    isRandom: model.layers.some((layer) => layer instanceof SeededDropout && layer.rate > 0),
    forwardTraining(images, dropoutSeed) {
      const collected: BatchStatistics[] = [];
      const call: TrainingCall & Partial<DropoutCall> = {
        training: true,
        batchStatistics: collected,
        ...(dropoutSeed === undefined ? {} : { dropoutSeed }),
      };
      try {
        const logits = model.apply(images, { ...call }) as tf.Tensor2D;
        const batchStatistics = collected.map(({ layer, mean, variance }) => ({
          mean: mean.clone(),
          variance: variance.clone(),
          ...layer.movingNames,
          momentum: layer.momentum,
        }));
        return { logits, batchStatistics };
      } finally {
        // The kept tensors end here; the clones share their data and belong to the caller's scope.
        for (const { mean, variance } of collected) tf.dispose([mean, variance]);
      }
    },
    forwardInference: (images) => model.apply(images, { training: false }) as tf.Tensor2D,
    dispose() {
      model.dispose();
    },
  };
}

/** Number of values that the optimizer moves. */
export function parameterCount(model: TrainableModel): number {
  return model.parameters.reduce((count, { variable }) => count + variable.size, 0);
}
