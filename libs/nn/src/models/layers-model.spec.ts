import { modelSpecSchema, placedLayers } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from '../kernels/register.js';
import { ModelError } from '../model-error.js';
import { layerZoo, topologyOf, ZOO_CLASSES, ZOO_INPUT } from '../testing/layer-zoo.js';
import { buildModel } from './build-model.js';
import type { TrainableModel } from './trainable-model.js';

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});

const zoo = (seed = 1): TrainableModel =>
  buildModel({ family: 'layers', topology: topologyOf(layerZoo()) }, ZOO_INPUT, ZOO_CLASSES, seed);

const valuesOf = ({ parameters, movingStatistics }: TrainableModel, name: string): number[] => {
  const found = [...parameters, ...movingStatistics].find((weight) => weight.name === name);
  return Array.from(found!.variable.dataSync<'float32'>());
};

describe('a model from a topology', () => {
  it('has the layers, shapes and weights of the model it was written from', () => {
    const original = layerZoo();
    const { model } = zoo();
    const shapes = (layers: tf.layers.Layer[]) =>
      layers.map(({ name, outputShape }) => [name, outputShape]);
    // The softmax at the end is left out.
    expect(shapes(model.layers)).toEqual(shapes(original.layers.slice(0, -1)));
    const weights = (found: tf.LayersModel) =>
      found.weights.map(({ originalName, shape }) => [
        originalName.replace(/_([a-z])(?=[a-z]*$)/, (_, letter: string) => letter.toUpperCase()),
        shape,
      ]);
    const sorted = (found: tf.LayersModel) =>
      weights(found)
        .map((weight) => JSON.stringify(weight))
        .sort();
    expect(sorted(model)).toEqual(sorted(original));
  });

  it('has one of each class of layers that may be used', () => {
    const used = new Set(
      placedLayers(topologyOf(layerZoo())).layers.map(({ layer }) => layer.class_name),
    );
    const issue = modelSpecSchema.safeParse({
      family: 'layers',
      topology: { class_name: 'Sequential', config: { layers: [{ class_name: 'Lambda' }] } },
    }).error!.issues[0]!;
    const known = (issue as unknown as { options: string[] }).options;
    expect([...used].sort()).toEqual([...known].sort());
  });

  it('yields the logits of that model with the same weights', () => {
    const original = layerZoo();
    const built = zoo();
    const byName = new Map(
      [...built.parameters, ...built.movingStatistics].map(({ name, variable }) => [
        name.toLowerCase().replaceAll('_', ''),
        variable,
      ]),
    );
    original.setWeights(
      original.weights.map(({ originalName }) =>
        byName.get(originalName.toLowerCase().replaceAll('_', ''))!,
      ),
    );
    const images = tf.randomNormal<tf.Rank.R4>([3, 12, 12, 3], 0, 1, 'float32', 5);
    const expected = original.predict(images) as tf.Tensor2D;
    const logits = built.forwardInference(images);
    const difference = logits.softmax().sub(expected).abs().max().dataSync<'float32'>()[0]!;
    expect(difference).toBeLessThan(1e-5);
  });

  it('starts with weights by its initializers, a function of seed and name', () => {
    const [one, again, other] = [zoo(), zoo(), zoo(2)];
    expect(valuesOf(one, 'stem/kernel')).toEqual(valuesOf(again, 'stem/kernel'));
    expect(valuesOf(one, 'stem/kernel')).not.toEqual(valuesOf(other, 'stem/kernel'));
    expect(valuesOf(one, 'side/kernel').slice(0, 4)).not.toEqual(
      valuesOf(one, 'stem/kernel').slice(0, 4),
    );
    expect(new Set(valuesOf(one, 'norm/gamma'))).toEqual(new Set([1]));
    expect(new Set(valuesOf(one, 'stem/bias'))).toEqual(new Set([0]));
    expect(new Set(valuesOf(one, 'norm/movingVariance'))).toEqual(new Set([1]));
    // LeCun's uniform: within sqrt(3 / 8) of zero, and nearly there.
    const largest = Math.max(...valuesOf(one, 'top/kernel').map(Math.abs));
    expect(largest).toBeLessThan(Math.sqrt(3 / 8));
    expect(largest).toBeGreaterThan(0.85 * Math.sqrt(3 / 8));
  });

  it.each([
    ['VarianceScaling', { scale: 2, mode: 'fan_in', distribution: 'truncated_normal' }, 2 / 900],
    ['VarianceScaling', { scale: 1, mode: 'fan_out', distribution: 'uniform' }, 1 / 450],
    [
      'VarianceScaling',
      { scale: 1, mode: 'fan_avg', distribution: 'untruncated_normal' },
      2 / 1350,
    ],
    ['HeNormal', {}, 2 / 900],
    ['RandomNormal', { stddev: 0.1 }, 0.01],
    ['RandomUniform', { minval: -0.3, maxval: 0.3 }, 0.03],
    ['TruncatedNormal', { stddev: 1 }, 0.8796 ** 2],
  ])('initialises by %s %o', (className, config, variance) => {
    const layers = [
      {
        class_name: 'Conv2D',
        config: {
          name: 'conv',
          filters: 50,
          kernel_size: 3,
          kernel_initializer: { class_name: className, config },
        },
      },
      { class_name: 'GlobalAveragePooling2D', config: { name: 'pool' } },
      { class_name: 'Dense', config: { name: 'top', units: 5 } },
    ];
    const spec = modelSpecSchema.parse({
      family: 'layers',
      topology: { class_name: 'Sequential', config: { layers } },
    });
    const kernel = valuesOf(buildModel(spec, { height: 8, width: 8, channels: 100 }, 5, 7), 'conv/kernel'); // prettier-ignore
    const mean = kernel.reduce((sum, value) => sum + value, 0) / kernel.length;
    const measured = kernel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kernel.length;
    expect(kernel).toHaveLength(45_000);
    expect(Math.abs(mean) / Math.sqrt(variance)).toBeLessThan(0.02);
    expect(measured / variance).toBeCloseTo(1, 1);
  });

  it('is refused where it does not fit the classes, naming the layer', () => {
    const spec = { family: 'layers', topology: topologyOf(layerZoo()) } as const;
    expect(() => buildModel(spec, ZOO_INPUT, 7, 1)).toThrowError(ModelError);
    expect(() => buildModel(spec, ZOO_INPUT, 7, 1)).toThrowError(
      /expected an output of \[7\].*layer probabilities yields \[5\]/,
    );
  });
});
