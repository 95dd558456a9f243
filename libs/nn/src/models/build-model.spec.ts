import { createHash } from 'node:crypto';
import type { ModelSpec } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from '../kernels/register.js';
import { ModelError } from '../model-error.js';
import { buildModel, type InputShape } from './build-model.js';
import { parameterCount, type TrainableModel } from './trainable-model.js';

type CifarDepth = Extract<ModelSpec, { family: 'resnet-cifar' }>['depth'];
type ImageNetSpec = Extract<ModelSpec, { family: 'resnet' }>;

const color: InputShape = { height: 32, width: 32, channels: 3 };
const gray: InputShape = { height: 28, width: 28, channels: 1 };
const large: InputShape = { height: 224, width: 224, channels: 3 };

const cifar = (depth: CifarDepth, shortcuts = true): ModelSpec => ({
  family: 'resnet-cifar',
  depth,
  shortcuts,
});
const imageNet = (depth: 18 | 34 | 50, rest: Partial<ImageNetSpec> = {}): ModelSpec => ({
  family: 'resnet',
  depth,
  stem: 'imagenet',
  shortcuts: true,
  ...rest,
});

let built: TrainableModel[] = [];
function build(spec: ModelSpec, input = color, numClasses = 10, seed = 1): TrainableModel {
  const model = buildModel(spec, input, numClasses, seed);
  built.push(model);
  return model;
}

function digest({ parameters, movingStatistics }: TrainableModel): string {
  const hash = createHash('sha256');
  for (const { name, variable } of [...parameters, ...movingStatistics]) {
    hash.update(name).update(variable.dataSync());
  }
  return hash.digest('hex');
}

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  registerFusedKernels();
});
afterEach(() => {
  for (const { model } of built) model.dispose();
  built = [];
});

describe('the size of a model', () => {
  // He et al. 2015, table 6, gives 0.27, 0.46, 0.66, 0.85 and 1.7 million; exactly:
  it.each([
    [8, 75_290],
    [14, 172_506],
    [20, 269_722],
    [32, 464_154],
    [44, 658_586],
    [56, 853_018],
    [110, 1_727_962],
  ] as const)('CIFAR form, depth %i: %i parameters', (depth, count) => {
    expect(parameterCount(build(cifar(depth)))).toBe(count);
  });

  it.each([
    [18, 11_689_512],
    [34, 21_797_672],
    [50, 25_557_032],
  ] as const)('ImageNet form, depth %i: the %i parameters of torchvision', (depth, count) => {
    expect(parameterCount(build(imageNet(depth), large, 1000))).toBe(count);
  });

  it('is the same without the parameter-free shortcuts', () => {
    expect(parameterCount(build(cifar(20, false)))).toBe(269_722);
  });

  it('is smaller by the projections without theirs', () => {
    const projections = [128, 256, 512].map((filters) => (filters / 2) * filters + 2 * filters);
    const plain = build(imageNet(18, { shortcuts: false }), large, 1000);
    expect(parameterCount(plain)).toBe(11_689_512 - projections.reduce((a, b) => a + b));
  });

  it('changes with the small stem by the size of its kernel alone', () => {
    const small = build(imageNet(18, { stem: 'small' }), color, 1000);
    expect(parameterCount(small)).toBe(11_689_512 - (49 - 9) * 3 * 64);
  });
});

describe('the shape of a model', () => {
  const sizeOf = ({ model }: TrainableModel, layer: string) =>
    (model.getLayer(layer).outputShape as tf.Shape).slice(1);

  it('CIFAR form: 32, 16 and 8 pixels; 28, 14 and 7 for gray images', () => {
    const model = build(cifar(8));
    expect(sizeOf(model, 'stage1/block0/relu2')).toEqual([32, 32, 16]);
    expect(sizeOf(model, 'stage2/block0/relu2')).toEqual([16, 16, 32]);
    expect(sizeOf(model, 'stage3/block0/relu2')).toEqual([8, 8, 64]);
    expect(sizeOf(build(cifar(8), gray), 'stage3/block0/relu2')).toEqual([7, 7, 64]);
  });

  it('ImageNet form: 112, 56, 28, 14 and 7 pixels', () => {
    const model = build(imageNet(50), large, 1000);
    expect(sizeOf(model, 'stem/relu')).toEqual([112, 112, 64]);
    expect(sizeOf(model, 'stage1/block2/relu3')).toEqual([56, 56, 256]);
    expect(sizeOf(model, 'stage2/block0/relu3')).toEqual([28, 28, 512]);
    expect(sizeOf(model, 'stage3/block5/relu3')).toEqual([14, 14, 1024]);
    expect(sizeOf(model, 'stage4/block2/relu3')).toEqual([7, 7, 2048]);
  });

  it.each([
    ['CIFAR form, gray', cifar(8), gray],
    ['CIFAR form, odd sizes', cifar(8), { height: 9, width: 7, channels: 2 }],
    ['plain', cifar(8, false), gray],
    ['small stem', imageNet(18, { stem: 'small' }), { height: 8, width: 8, channels: 3 }],
    ['imagenet stem, gray', imageNet(18), gray],
    ['bottleneck', imageNet(50), { height: 32, width: 32, channels: 3 }],
    ['pre-activation', { ...cifar(8), preActivation: true }, gray],
    ['pre-activation, plain', { ...cifar(8, false), preActivation: true }, gray],
    [
      'pre-activation, small stem',
      { ...imageNet(18, { stem: 'small' }), preActivation: true },
      { height: 8, width: 8, channels: 3 },
    ],
    ['wide', { family: 'wide-resnet', depth: 10, width: 2 }, { height: 9, width: 7, channels: 2 }],
    [
      'DenseNet, CIFAR form, odd sizes',
      { family: 'densenet-cifar', depth: 7, growthRate: 4, bottleneck: false },
      { height: 9, width: 7, channels: 2 },
    ],
    [
      'DenseNet-BC, CIFAR form',
      { family: 'densenet-cifar', depth: 10, growthRate: 4, bottleneck: true },
      gray,
    ],
    ['DenseNet, ImageNet form', { family: 'densenet', depth: 121 }, color],
  ] as [string, ModelSpec, InputShape][])(
    '%s: logits for each sample, in training and inference',
    (_, spec, input) => {
      const model = build(spec, input, 5);
      const images = tf.randomNormal<tf.Rank.R4>(
        [2, input.height, input.width, input.channels],
        0,
        1,
        'float32',
        7,
      );
      const { logits, batchStatistics } = model.forwardTraining(images);
      expect(logits.shape).toEqual([2, 5]);
      expect(model.forwardInference(images).shape).toEqual([2, 5]);
      expect(batchStatistics.length * 2).toBe(model.movingStatistics.length);
      expect([...logits.dataSync()].every(Number.isFinite)).toBe(true);
    },
  );

  it('has shortcuts exactly where the spec has them', () => {
    const sums = ({ model }: TrainableModel) =>
      model.layers.filter((layer) => layer.getClassName() === 'Add').length;
    expect([sums(build(cifar(20))), sums(build(cifar(20, false)))]).toEqual([9, 0]);
  });
});

describe('the parameters of a model', () => {
  it('have stable names, in the order of the layers', () => {
    const { parameters, movingStatistics } = build(cifar(8));
    const names = parameters.map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual([
      'stem/conv/kernel',
      'stem/norm/gamma',
      'stem/norm/beta',
      'stage1/block0/conv1/kernel',
      'stage1/block0/norm1/gamma',
    ]);
    expect(names.slice(-2)).toEqual(['classifier/kernel', 'classifier/bias']);
    expect(movingStatistics.slice(0, 2).map(({ name }) => name)).toEqual([
      'stem/norm/movingMean',
      'stem/norm/movingVariance',
    ]);
    expect(build(cifar(8)).parameters.map(({ name }) => name)).toEqual(names);
  });

  it('decay where they are kernels', () => {
    for (const { name, decay } of build(imageNet(18), large).parameters) {
      expect(decay, name).toBe(name.endsWith('/kernel'));
    }
  });

  it('start from He normal kernels, scales of one and offsets of zero', () => {
    const { parameters } = build(cifar(20));
    for (const { name, variable } of parameters) {
      const values = [...variable.dataSync()];
      if (!name.endsWith('/kernel')) {
        const start = name.endsWith('/gamma') ? 1 : 0;
        expect(values.every((value) => value === start)).toBe(true);
        continue;
      }
      const [height = 1, width, , filters = 1] = variable.shape;
      const expected =
        width === 10 ? Math.sqrt(1 / 64) : Math.sqrt(2 / (height * (width ?? 1) * filters));
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
      // Five standard errors of a standard deviation.
      const tolerance = 5 / Math.sqrt(2 * values.length);
      expect(Math.abs(deviation / expected - 1), name).toBeLessThan(tolerance);
    }
  });

  it('are a function of the seed: these bytes, always', () => {
    expect(digest(build(cifar(8)))).toBe(
      'e1fb012aae80fc6226567a75d0f9f2d4b3fcaf8f688d700eefa5b28bc79ef4f5',
    );
    expect(digest(build(cifar(8), color, 10, 1))).toBe(digest(build(cifar(8))));
    expect(digest(build(cifar(8), color, 10, 2))).not.toBe(digest(build(cifar(8))));
  });

  it('are a function of their names: a deeper network starts from the same ones', () => {
    const shallow = new Map(build(cifar(8)).parameters.map((p) => [p.name, p.variable]));
    const deep = build(cifar(20)).parameters.filter(({ name }) => shallow.has(name));
    expect(deep.length).toBe(shallow.size);
    for (const { name, variable } of deep) {
      expect(variable.dataSync()).toEqual(shallow.get(name)!.dataSync());
    }
  });
});

describe('buildModel refuses', () => {
  it.each([
    ['input.height: 0', { ...color, height: 0 }, 10],
    ['input.width: 1.5', { ...color, width: 1.5 }, 10],
    ['input.channels: NaN', { ...color, channels: NaN }, 10],
    ['numClasses: 1', color, 1],
  ])('%s', (message, input, numClasses) => {
    const act = () => build(cifar(8), input, numClasses);
    expect(act).toThrow(ModelError);
    expect(act).toThrow(message);
  });

  it('a seed that is no uint32', () => {
    expect(() => build(cifar(8), color, 10, -1)).toThrow('seed: -1');
  });
});
