import * as tf from '@tensorflow/tfjs';
import { hashState, type Engine } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import {
  exponentsOf,
  LANE_SIZE,
  randomBatch,
  smallEngine,
  smallModel,
} from '../testing/small-engine.js';

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

function norm(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

/** Trains some steps of one full and one short lane; with a probe that is asked each time. */
function trainAndHash(engine: Engine): string {
  const exponents = exponentsOf(engine, 20);
  for (let step = 0; step < 4; step++) {
    const batch = randomBatch(step, step === 3 ? 4 : LANE_SIZE);
    engine.probe?.activations(batch, step);
    const vector = engine.forwardBackward(batch, exponents, 1, step);
    const inputs = { learningRate: 0.05, step: step + 1, totalWeight: 1, exponents };
    engine.probe?.norms(vector, inputs);
    engine.apply(vector, inputs);
  }
  return hashState({ step: 4, epoch: 0, cursor: 0 }, exponents, engine.readState());
}

describe('the probe of a compiled engine', () => {
  it('knows the layers that have parameters, from the input to the output', () => {
    const { probe } = smallEngine({}, smallModel(), { hasProbe: true });
    const layers = probe?.layers ?? [];
    expect(layers).toHaveLength(7 + 7 + 1);
    expect(layers.slice(0, 3)).toEqual([
      { name: 'stem/conv', kind: 'convolution', numParameters: 3 * 3 * 3 * 16 },
      { name: 'stem/norm', kind: 'normalization', numParameters: 32 },
      { name: 'stage1/block0/conv1', kind: 'convolution', numParameters: 3 * 3 * 16 * 16 },
    ]);
    expect(layers.at(-1)).toEqual({ name: 'classifier', kind: 'dense', numParameters: 64 * 5 + 5 });
  });

  it('finds the norms of the reduced gradient and of the parameters', () => {
    const engine = smallEngine({ reduction: 'float32' }, smallModel(), { hasProbe: true });
    const batch = randomBatch(1);
    const exponents = exponentsOf(engine, 20);
    const vector = engine.forwardBackward(batch, exponents, 1, 1);
    const found = engine.probe!.norms(vector, { totalWeight: 2, exponents });
    const last = engine.probe!.layers.length - 1;
    const slots = engine.layout.slots.filter(({ name }) => name.startsWith('classifier/'));
    const gradient = slots.flatMap(({ offset, length }) => [
      ...vector.subarray(offset, offset + length),
    ]);
    expect(found.gradient[last]).toBeCloseTo(norm(gradient) / 2, 5);
    const kernel = engine.readState().get('stem/conv/kernel')!.values;
    expect(found.weight[0]).toBeCloseTo(norm(kernel), 4);
  });

  it('finds mean and variance of what each layer yields in training', () => {
    const model = smallModel();
    const engine = smallEngine({}, model, { hasProbe: true });
    const batch = randomBatch(2);
    const { mean, variance } = engine.probe!.activations(batch, 1);
    const logits = tf.tidy(() => {
      const images = tf.tensor4d(batch.images, [LANE_SIZE, 8, 8, 3]);
      return model.forwardTraining(images).logits.dataSync<'float32'>();
    });
    const expected = logits.reduce((sum, value) => sum + value, 0) / logits.length;
    const squares = logits.reduce((sum, value) => sum + (value - expected) ** 2, 0);
    expect(mean.at(-1)).toBeCloseTo(expected, 4);
    expect(variance.at(-1)).toBeCloseTo(squares / logits.length, 3);
    // Batch norm with scale 1 and offset 0 yields mean 0 and variance 1.
    expect(mean[1]).toBeCloseTo(0, 4);
    expect(variance[1]).toBeCloseTo(1, 2);
  });

  it.each(['float32', 'bfloat16'] as const)('changes no bit of training in %s', (precision) => {
    const without = smallEngine({ precision });
    const withProbe = smallEngine({ precision }, smallModel(), { hasProbe: true });
    expect(without.probe).toBeNull();
    expect(trainAndHash(withProbe)).toBe(trainAndHash(without));
  });
});
