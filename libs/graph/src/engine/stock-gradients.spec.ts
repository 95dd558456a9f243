import { buildModel, registerFusedKernels } from '@skipring/nn';
import type { ModelSpec } from '@skipring/protocol';
import type { LaneBatch } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { NUM_CLASSES, randomBatch } from '../testing/small-engine.js';
import { stockTwin } from '../testing/stock-twin.js';
import { compileEngine } from './compile-engine.js';

const SAMPLES = 8;
const LABEL_SMOOTHING = 0.1;

const cases: readonly [string, ModelSpec, { height: number; width: number; channels: number }][] = [
  [
    'ResNet-20, CIFAR form',
    { family: 'resnet-cifar', depth: 20, shortcuts: true },
    { height: 16, width: 16, channels: 3 },
  ],
  [
    'a plain network of depth 14',
    { family: 'resnet-cifar', depth: 14, shortcuts: false },
    { height: 14, width: 14, channels: 1 },
  ],
  [
    'ResNet-18, ImageNet form with the small stem',
    { family: 'resnet', depth: 18, stem: 'small', shortcuts: true },
    { height: 16, width: 16, channels: 3 },
  ],
];

interface StockResult {
  readonly lossSum: number;
  readonly correct: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Moving statistics after one training call, by name. */
  readonly moved: ReadonlyMap<string, Float32Array>;
}

/** The same batch through TensorFlow.js's own layers and gradients. */
async function runStock(
  spec: ModelSpec,
  inputShape: { height: number; width: number; channels: number },
  { images, labels, samples }: LaneBatch,
): Promise<StockResult> {
  const twin = await stockTwin(buildModel(spec, inputShape, NUM_CLASSES, 17));
  const { height, width, channels } = inputShape;
  const x = tf.tensor4d(images, [samples, height, width, channels]);
  const off = LABEL_SMOOTHING / NUM_CLASSES;
  const classes = tf.tensor1d(labels, 'int32');
  const on = 1 - LABEL_SMOOTHING + off;
  const targets = tf.oneHot(classes, NUM_CLASSES, on, off, 'float32');
  let correct = 0;
  const weights = twin.trainableWeights.map((weight) => ({
    name: weight.originalName,
    variable: weight.read() as tf.Variable,
  }));
  const { value, grads } = tf.variableGrads(
    () => {
      const logits = twin.apply(x, { training: true }) as tf.Tensor2D;
      const hits = logits.argMax(1).equal(classes).toInt();
      correct = hits.sum().dataSync<'int32'>()[0]!;
      return tf.logSoftmax(logits, 1).mul(targets).sum(1).neg().mean();
    },
    weights.map(({ variable }) => variable),
  );
  return {
    lossSum: value.dataSync<'float32'>()[0]! * samples,
    correct,
    gradients: new Map(
      weights.map(({ name, variable }) => [name, grads[variable.name]!.dataSync<'float32'>()]),
    ),
    moved: new Map(
      twin.layers.flatMap((layer) => {
        if (layer.nonTrainableWeights.length === 0) return [];
        const [, rows, columns] = layer.outputShape as number[];
        const numValues = samples * rows! * columns!;
        const [mean, variance] = layer
          .getWeights()
          .slice(2)
          .map((weight) => weight.dataSync<'float32'>());
        return [
          [`${layer.name}/movingMean`, mean!],
          // Stock layers move by the biased variance: what they added to 0.9 is too small.
          [
            `${layer.name}/movingVariance`,
            variance!.map((value) => 0.9 + ((value - 0.9) * numValues) / (numValues - 1)),
          ],
        ];
      }),
    ),
  };
}

/** Largest difference as a share of the largest value expected. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = actual.reduce(
    (max, value, index) => Math.max(max, Math.abs(value - expected[index]!)),
    0,
  );
  return worst / largest;
}

const stock = new Map<string, StockResult>();

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  // First, because registering the fused kernels replaces gradients of stock operations for good.
  for (const [name, spec, inputShape] of cases) {
    stock.set(name, await runStock(spec, inputShape, randomBatch(3, SAMPLES, inputShape)));
  }
  registerFusedKernels();
}, 120_000);

describe.each(cases)('a recorded graph of %s', (name, spec, inputShape) => {
  const compile = () =>
    compileEngine({
      model: buildModel(spec, inputShape, NUM_CLASSES, 17),
      spec: {
        momentum: 0.9,
        nesterov: false,
        weightDecay: 0,
        labelSmoothing: LABEL_SMOOTHING,
        reduction: 'float32',
      },
      trainBatchSizes: [SAMPLES],
      evaluationBatchSizes: [],
      laneSize: SAMPLES,
      numClasses: NUM_CLASSES,
      inputShape,
    });

  it('has the gradients, loss, hits and moving statistics of stock layers', () => {
    const expected = stock.get(name)!;
    const engine = compile();
    const exponents = new Int32Array(engine.layout.slots.length);
    const vector = engine.forwardBackward(randomBatch(3, SAMPLES, inputShape), exponents, 1, 0);
    const { slots, metricsOffset } = engine.layout;

    const gradients = slots.filter(({ kind }) => kind === 'gradient');
    expect(gradients.map((slot) => slot.name).sort()).toEqual(
      [...expected.gradients.keys()].sort(),
    );
    for (const slot of gradients) {
      const actual = vector.slice(slot.offset, slot.offset + slot.length) as Float32Array;
      const error = relativeError(actual, expected.gradients.get(slot.name)!);
      expect(error, slot.name).toBeLessThan(2e-4);
    }

    const [lossSum, correct, samples] = vector.subarray(metricsOffset, metricsOffset + 3);
    expect(lossSum! / expected.lossSum).toBeCloseTo(1, 5);
    expect(correct).toBe(expected.correct);
    expect(samples).toBe(SAMPLES);

    engine.apply(vector, { learningRate: 0, step: 1, totalWeight: 1, exponents });
    const after = engine.readState();
    const statistics = slots.filter(({ kind }) => kind !== 'gradient');
    expect(statistics.length).toBe(expected.moved.size);
    for (const slot of statistics) {
      const error = relativeError(after.get(slot.name)!.values, expected.moved.get(slot.name)!);
      expect(error, slot.name).toBeLessThan(1e-4);
    }
    engine.dispose();
  });
});
