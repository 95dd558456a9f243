import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from '../kernels/register.js';
import { buildModel } from '../models/build-model.js';
import { SeededDropout } from './seeded-dropout.js';

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

const RATE = 0.3;
const SIZE = 100_000;

function call(seed: number, name = 'drop', training = true): Float32Array {
  const layer = new SeededDropout({ name, rate: RATE });
  const dropoutSeed = tf.scalar(seed, 'int32');
  return layer.call(tf.ones([10, SIZE / 10]), { training, dropoutSeed }).dataSync<'float32'>();
}

describe('dropout', () => {
  it('zeroes the share of its rate and scales the rest, so that the mean stays', () => {
    const values = call(1);
    const numZeros = values.filter((value) => value === 0).length;
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - RATE))]));
    // Five standard deviations of a binomial share.
    const tolerance = 5 * Math.sqrt((RATE * (1 - RATE)) / SIZE);
    expect(Math.abs(numZeros / SIZE - RATE)).toBeLessThan(tolerance);
    const mean = values.reduce((sum, value) => sum + value, 0) / SIZE;
    expect(Math.abs(mean - 1)).toBeLessThan(tolerance / (1 - RATE));
  });

  it('is the identity in inference', () => {
    expect(new Set(call(1, 'drop', false))).toEqual(new Set([1]));
  });

  it('has a mask that is a function of seed and name, unlike for another seed or name', () => {
    const agreement = (a: Float32Array, b: Float32Array) =>
      a.filter((value, index) => value === b[index]).length / SIZE;
    const chance = RATE ** 2 + (1 - RATE) ** 2;
    expect(agreement(call(1), call(1))).toBe(1);
    expect(agreement(call(1), call(2))).toBeCloseTo(chance, 1);
    expect(agreement(call(1), call(1, 'other'))).toBeCloseTo(chance, 1);
  });

  it('passes the gradient where it passed the value', () => {
    const layer = new SeededDropout({ name: 'drop', rate: RATE });
    const kwargs = { training: true, dropoutSeed: tf.scalar(4, 'int32') };
    const x = tf.randomNormal([50]);
    const gradient = tf.grad((input) => layer.call(input, kwargs).sum())(x);
    const expected = layer.call(tf.onesLike(x), kwargs);
    expect(gradient.arraySync()).toEqual(expected.arraySync());
  });

  it('needs a seed in training', () => {
    const layer = new SeededDropout({ name: 'drop', rate: RATE });
    expect(() => layer.call(tf.ones([2]), { training: true })).toThrowError(
      /dropoutSeed of drop: undefined, expected a seed/,
    );
  });
});

describe('where the papers drop', () => {
  const input = { height: 16, width: 16, channels: 3 };
  const dropouts = (spec: Parameters<typeof buildModel>[0]) => {
    const { model, isRandom } = buildModel(spec, input, 10, 1);
    const layers = model.layers.filter((layer) => layer instanceof SeededDropout);
    expect(isRandom).toBe(layers.length > 0);
    return layers.map(({ name }) => name);
  };

  it('wide networks: between the two convolutions of a block', () => {
    const wide = { family: 'wide-resnet', depth: 10, width: 1 } as const;
    expect(dropouts(wide)).toEqual([]);
    expect(dropouts({ ...wide, dropout: 0.3 })).toEqual([
      'stage1/block0/dropout2',
      'stage2/block0/dropout2',
      'stage3/block0/dropout2',
    ]);
  });

  it('densely connected networks: after each convolution but the first', () => {
    const dense = { family: 'densenet-cifar', depth: 10, growthRate: 4 } as const;
    const names = dropouts({ ...dense, bottleneck: true, dropout: 0.2 });
    expect(names).toEqual([
      'dense1/layer0/dropout1',
      'dense1/layer0/dropout2',
      'transition1/dropout',
      'dense2/layer0/dropout1',
      'dense2/layer0/dropout2',
      'transition2/dropout',
      'dense3/layer0/dropout1',
      'dense3/layer0/dropout2',
    ]);
    expect(dropouts({ ...dense, bottleneck: false })).toEqual([]);
  });
});
