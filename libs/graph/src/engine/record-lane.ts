import { softmaxCrossEntropy, type TrainableModel } from '@skipring/nn';
import { EngineError } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import type { NodeBackend } from '../binding.js';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import { Recorder } from '../record/recorder.js';
import type { VariableSet } from '../variables.js';
import type { LaneOutputs } from './lane-vector.js';
import type { SlotShape } from './layout.js';

export interface InputShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export interface RecordOptions {
  readonly backend: NodeBackend;
  readonly builder: GraphBuilder;
  readonly variables: VariableSet;
  readonly model: TrainableModel;
  /** Name of the variable that a parameter is read from. */
  readonly variableOf: (parameter: string) => string;
  readonly inputShape: InputShape;
  readonly samples: number;
  /** Begins the names of the recorded nodes, and of the two placeholders. */
  readonly scope: string;
  /** Chooses the values that the model is run on while it is recorded. */
  readonly sampleSeed: number;
}

/** The inputs of a recorded pass: images float32 [samples, h, w, c] and labels int32 [samples]. */
export interface BatchInputs {
  readonly images: Output;
  readonly labels: Output;
}

/** Those of a training pass. */
export interface LaneInputs extends BatchInputs {
  /** Chooses the masks of dropout, int32 scalar; null in a model without. */
  readonly seed: Output | null;
}

/** Weighted moving statistics: how a commit moves them. */
export interface RecordedLane extends LaneOutputs, LaneInputs {
  readonly slots: readonly SlotShape[];
  /** Momentum of each moving statistic, by name. */
  readonly momenta: ReadonlyMap<string, number>;
}

/** Records forward and backward pass of one lane; the variables are those of the graph. */
export function recordLane(options: RecordOptions, labelSmoothing: number): RecordedLane {
  const { model, samples } = options;
  const slots: SlotShape[] = [];
  const values: Output[] = [];
  const momenta = new Map<string, number>();
  return recordBatch(options, ({ recorder, images, labels, seed, inputs }) => {
    let lossSum = '';
    let correct = '';
    const statistics: { slot: SlotShape; value: Output }[] = [];
    const forward = (): tf.Scalar => {
      const { logits, batchStatistics } = model.forwardTraining(images, seed);
      for (const { mean, variance, movingMean, movingVariance, momentum } of batchStatistics) {
        statistics.push(
          {
            slot: { name: movingMean, kind: 'batchMean', shape: mean.shape },
            value: recorder.outputOf(mean),
          },
          {
            slot: { name: movingVariance, kind: 'batchVariance', shape: variance.shape },
            value: recorder.outputOf(variance),
          },
        );
        momenta.set(movingMean, momentum).set(movingVariance, momentum);
      }
      const losses = softmaxCrossEntropy(logits, labels, labelSmoothing);
      lossSum = recorder.outputOf(losses.sum());
      correct = recorder.outputOf(logits.argMax(1).equal(labels).toInt().sum());
      return losses.mean();
    };
    const { grads } = tf.variableGrads(
      forward,
      model.parameters.map(({ variable }) => variable),
    );
    for (const { name, variable } of model.parameters) {
      const gradient = grads[variable.name];
      if (gradient === undefined) {
        throw new EngineError('MODEL_INVALID', `parameter ${name} has no gradient`);
      }
      slots.push({ name, kind: 'gradient', shape: variable.shape });
      values.push(recorder.outputOf(gradient));
    }
    for (const { slot, value } of statistics) {
      slots.push(slot);
      values.push(value);
    }
    return { ...inputs, slots, values, lossSum, correct, samples, momenta };
  });
}

/** What an evaluation batch yields in the graph. */
export interface RecordedEvaluation extends BatchInputs {
  /** Row = true class, column = predicted class; int32 [classes, classes]. */
  readonly confusion: Output;
  /** Sum of the samples' losses, float32 scalar. */
  readonly lossSum: Output;
  /** float32 [samples]. */
  readonly losses: Output;
  /** Predicted classes, int32 [samples]. */
  readonly predicted: Output;
  readonly samples: number;
}

/** Records the forward pass by moving statistics, and the counts of its predictions. */
export function recordEvaluation(options: RecordOptions, numClasses: number): RecordedEvaluation {
  return recordBatch(options, ({ recorder, images, labels, inputs }) => {
    const logits = options.model.forwardInference(images);
    const truth = tf.oneHot(labels, numClasses, 1, 0, 'float32') as tf.Tensor2D;
    const predicted = logits.argMax(1);
    const guess = tf.oneHot(predicted, numClasses, 1, 0, 'float32') as tf.Tensor2D;
    const losses = softmaxCrossEntropy(logits, labels, 0);
    return {
      ...inputs,
      // Sums of at most `samples` ones: exact in float32.
      confusion: recorder.outputOf(truth.matMul(guess, true).toInt()),
      lossSum: recorder.outputOf(losses.sum()),
      losses: recorder.outputOf(losses),
      predicted: recorder.outputOf(predicted),
      samples: options.samples,
    };
  });
}

export interface Recording {
  readonly recorder: Recorder;
  readonly images: tf.Tensor4D;
  readonly labels: tf.Tensor1D;
  readonly seed: tf.Scalar;
  readonly inputs: LaneInputs;
}

/** Runs `body` on a batch while it is recorded, with the graph's inputs and variables bound. */
export function recordBatch<T>(options: RecordOptions, body: (recording: Recording) => T): T {
  const { backend, builder, variables, variableOf, model, samples, scope } = options;
  const { height, width, channels } = options.inputShape;
  const shape: [number, number, number, number] = [samples, height, width, channels];
  const recorder = new Recorder(backend, builder, scope);
  let result: T | null = null;
  tf.tidy(() => {
    const images = tf.randomUniform<tf.Rank.R4>(shape, -1, 1, 'float32', options.sampleSeed);
    const labels = tf.tensor1d(
      Array.from({ length: samples }, (_, index) => (index + options.sampleSeed) % 2),
      'int32',
    );
    const seed = tf.scalar(options.sampleSeed, 'int32');
    const inputs = {
      images: builder.placeholder(`${scope}/images`, DataType.float32, shape),
      labels: builder.placeholder(`${scope}/labels`, DataType.int32, [samples]),
      seed: model.isRandom ? builder.placeholder(`${scope}/seed`, DataType.int32, []) : null,
    };
    if (inputs.seed !== null) recorder.bind(seed, inputs.seed);
    recorder.bind(images, inputs.images);
    recorder.bind(labels, inputs.labels);
    for (const { name, variable } of model.parameters) {
      recorder.bind(variable, variables.read(variableOf(name)));
    }
    for (const { name, variable } of model.movingStatistics) {
      recorder.bind(variable, variables.read(name));
    }
    result = recorder.record(model.model.layers, () =>
      body({ recorder, images, labels, seed, inputs }),
    );
  });
  if (result === null) throw new EngineError('MODEL_INVALID', 'nothing was recorded');
  return result;
}
