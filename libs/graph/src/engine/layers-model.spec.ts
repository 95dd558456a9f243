import { buildModel, registerFusedKernels, softmaxCrossEntropy } from '@skipring/nn';
import { layerZoo, topologyOf, ZOO_CLASSES, ZOO_INPUT } from '@skipring/nn/testing';
import type { Engine, LaneBatch } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, randomBatch } from '../testing/small-engine.js';
import { compileEngine, type EngineOptions } from './compile-engine.js';

const SAMPLES = 6;
const SEED = 1_234;

const build = () =>
  buildModel({ family: 'layers', topology: topologyOf(layerZoo()) }, ZOO_INPUT, ZOO_CLASSES, 3);

function compile(spec: Partial<EngineOptions['spec']> = {}): Engine {
  return compileEngine({
    model: build(),
    spec: {
      momentum: 0.9,
      nesterov: false,
      weightDecay: 0,
      labelSmoothing: 0,
      reduction: 'float32',
      ...spec,
    },
    trainBatchSizes: [SAMPLES],
    evaluationBatchSizes: [SAMPLES],
    laneSize: SAMPLES,
    numClasses: ZOO_CLASSES,
    inputShape: ZOO_INPUT,
  });
}

const batch: LaneBatch = randomBatch(3, SAMPLES, ZOO_INPUT);

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  registerFusedKernels();
});

describe('a model with every layer that a topology may have', () => {
  it('has the gradients, loss and statistics that the model has when it is run by itself', () => {
    const model = build();
    const { height, width, channels } = ZOO_INPUT;
    const images = tf.tensor4d(batch.images, [SAMPLES, height, width, channels]);
    const labels = tf.tensor1d(batch.labels, 'int32');
    const statistics = new Map<string, Float32Array>();
    const { value, grads } = tf.variableGrads(
      () => {
        const passed = model.forwardTraining(images, tf.scalar(SEED, 'int32'));
        for (const { movingMean, movingVariance, mean, variance } of passed.batchStatistics) {
          statistics.set(movingMean, mean.dataSync<'float32'>());
          statistics.set(movingVariance, variance.dataSync<'float32'>());
        }
        return softmaxCrossEntropy(passed.logits, labels, 0).mean();
      },
      model.parameters.map(({ variable }) => variable),
    );
    const expected = new Map([
      ...statistics,
      ...model.parameters.map(
        ({ name, variable }) => [name, grads[variable.name]!.dataSync<'float32'>()] as const,
      ),
    ]);

    const engine = compile();
    const vector = engine.forwardBackward(batch, exponentsOf(engine, 0), 1, SEED);
    expect(engine.layout.slots.map(({ name }) => name).sort()).toEqual([...expected.keys()].sort());
    for (const { name, offset, length } of engine.layout.slots) {
      const actual = vector.subarray(offset, offset + length);
      const wanted = expected.get(name)!;
      const largest = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-3);
      for (const [index, x] of wanted.entries()) {
        expect(Math.abs(actual[index]! - x) / largest, name).toBeLessThan(1e-3);
      }
    }
    const lossSum = vector[engine.layout.metricsOffset]!;
    expect(lossSum / SAMPLES).toBeCloseTo(value.dataSync<'float32'>()[0]!, 5);
    engine.dispose();
  });

  it('predicts by its moving statistics, without dropout', () => {
    const model = build();
    const { height, width, channels } = ZOO_INPUT;
    const images = tf.tensor4d(batch.images, [SAMPLES, height, width, channels]);
    const predicted = model.forwardInference(images).argMax(1).dataSync<'int32'>();
    const engine = compile();
    const { confusion } = engine.evaluate(batch);
    const expected = new Int32Array(ZOO_CLASSES ** 2);
    batch.labels.forEach((label, index) => {
      expected[label * ZOO_CLASSES + predicted[index]!]! += 1;
    });
    expect(confusion).toEqual(expected);
    expect(engine.evaluate(batch)).toEqual(engine.evaluate(batch));
    engine.dispose();
  });

  it.each(['float32', 'bfloat16'] as const)('learns one batch in %s', (precision) => {
    const engine = compile({ reduction: 'exact', precision });
    const losses = Array.from({ length: 30 }, (_, step) => {
      const exponents = exponentsOf(engine, 20);
      const vector = engine.forwardBackward(batch, exponents, 1, step);
      engine.apply(vector, { learningRate: 0.05, step: step + 1, totalWeight: 1, exponents });
      return vector[engine.layout.metricsOffset]!;
    });
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    engine.dispose();
  });
});

describe('dropout in a recorded graph', () => {
  it('has the bits of its seed, and others for another', () => {
    const engine = compile({ reduction: 'exact' });
    const exponents = exponentsOf(engine, 20);
    const run = (seed: number) => Array.from(engine.forwardBackward(batch, exponents, 1, seed));
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    const again = compile({ reduction: 'exact' });
    expect(Array.from(again.forwardBackward(batch, exponents, 1, 1))).toEqual(run(1));
    engine.dispose();
    again.dispose();
  });
});
