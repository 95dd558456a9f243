import type { ModelSpec } from '@skipring/protocol';
import { modelSpecSchema } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildModel, emptyModel, type InputShape } from './build-model.js';
import { parameterCount, type TrainableModel } from './trainable-model.js';

const small: InputShape = { height: 32, width: 32, channels: 3 };
const large: InputShape = { height: 224, width: 224, channels: 3 };

let built: TrainableModel[] = [];
function build(spec: object, input: InputShape, numClasses: number): TrainableModel {
  const model = emptyModel(modelSpecSchema.parse(spec), input, numClasses);
  built.push(model);
  return model;
}
const sizeOf = ({ model }: TrainableModel, layer: string) =>
  (model.getLayer(layer).outputShape as tf.Shape).slice(1);

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
});
afterEach(() => {
  for (const { model } of built) model.dispose();
  built = [];
});

describe('parameters of the deeper residual networks', () => {
  it.each([
    [101, 44_549_160],
    [152, 60_192_808],
  ])('ImageNet form, depth %i: the %i of torchvision', (depth, count) => {
    expect(parameterCount(build({ family: 'resnet', depth }, large, 1000))).toBe(count);
  });

  it('CIFAR form, depth 1202: 19.4 million (He et al. 2015, table 6)', () => {
    const model = build({ family: 'resnet-cifar', depth: 1202 }, small, 10);
    expect(parameterCount(model)).toBe(19_421_274);
  });

  /** Kernels, scales and offsets of a bottleneck block, by the paper's definition. */
  function bottlenecks(blocksPerStage: number, preActivation: boolean): number {
    let count = 3 * 9 * 16 + 2 * 16;
    let channels = 16;
    for (const filters of [16, 32, 64]) {
      for (let block = 0; block < blocksPerStage; block++) {
        const output = 4 * filters;
        count += channels * filters + 9 * filters * filters + filters * output;
        count += 4 * filters + 2 * (preActivation ? channels : output);
        if (block === 0) count += channels * output + (preActivation ? 0 : 2 * output);
        channels = output;
      }
    }
    // In a pre-activation network the stem's norm is the first block's, and one follows the last.
    return count + (preActivation ? 2 * 256 - 2 * 16 : 0) + 256 * 10 + 10;
  }

  // He et al. 2016b, table 4, gives 1.7 million for depth 164 and 10.2 (10.3 with the projections)
  // for depth 1001.
  it.each([
    [164, false, 1.7e6],
    [164, true, 1.7e6],
    [1001, true, 10.3e6],
  ])('bottlenecks of depth %i, preActivation %s', (depth, preActivation, paper) => {
    const spec = { family: 'resnet-cifar', depth, preActivation };
    const count = parameterCount(build(spec, small, 10));
    expect(count).toBe(bottlenecks((depth - 2) / 9, preActivation));
    expect(Math.round(count / 1e5)).toBe(paper / 1e5);
  });

  it('pre-activation of depth 110: as many as ResNet-110', () => {
    const model = build({ family: 'resnet-cifar', depth: 110, preActivation: true }, small, 10);
    expect(parameterCount(model)).toBe(1_727_962);
  });
});

describe('parameters of wide residual networks', () => {
  // Zagoruyko and Komodakis 2016, tables 4 and 5: 2.7, 8.9, 11.0 and 36.5 million; exactly, as in
  // the authors' published code:
  it.each([
    [16, 4, 2_748_890],
    [40, 4, 8_949_210],
    [16, 8, 10_961_370],
    [28, 10, 36_479_194],
  ])('WRN-%i-%i: %i', (depth, width, count) => {
    expect(parameterCount(build({ family: 'wide-resnet', depth, width }, small, 10))).toBe(count);
  });
});

describe('parameters of densely connected networks', () => {
  // Huang et al. 2017, table 2: 1.0 and 0.8 million; exactly, as in the authors' published code:
  it.each([
    ['40-12', { depth: 40 }, 1_019_722],
    ['BC-100-12', { depth: 100, bottleneck: true }, 769_162],
  ])('DenseNet-%s', (_, form, count) => {
    expect(parameterCount(build({ family: 'densenet-cifar', ...form }, small, 10))).toBe(count);
  });

  it.each([
    [121, 7_978_856],
    [161, 28_681_000],
    [169, 14_149_480],
    [201, 20_013_928],
  ])('DenseNet-%i: the %i of torchvision', (depth, count) => {
    expect(parameterCount(build({ family: 'densenet', depth }, large, 1000))).toBe(count);
  });
});

describe('shapes', () => {
  it('of a wide network: 32, 16 and 8 pixels', () => {
    const model = build({ family: 'wide-resnet', depth: 10, width: 2 }, small, 10);
    expect(sizeOf(model, 'stage1/block0/sum')).toEqual([32, 32, 32]);
    expect(sizeOf(model, 'stage2/block0/sum')).toEqual([16, 16, 64]);
    expect(sizeOf(model, 'final/relu')).toEqual([8, 8, 128]);
  });

  it('of DenseNet-BC-100-12: channels grow by 12 and halve', () => {
    const spec = { family: 'densenet-cifar', depth: 100, bottleneck: true };
    const model = build(spec, small, 10);
    expect(sizeOf(model, 'dense1/layer15/concat')).toEqual([32, 32, 216]);
    expect(sizeOf(model, 'transition1/pool')).toEqual([16, 16, 108]);
    expect(sizeOf(model, 'final/relu')).toEqual([8, 8, 342]);
  });

  it('of DenseNet-121: 56, 28, 14 and 7 pixels', () => {
    const model = build({ family: 'densenet', depth: 121 }, large, 1000);
    expect(sizeOf(model, 'dense1/layer5/concat')).toEqual([56, 56, 256]);
    expect(sizeOf(model, 'transition1/pool')).toEqual([28, 28, 128]);
    expect(sizeOf(model, 'final/relu')).toEqual([7, 7, 1024]);
  });
});

describe('zeroInitGamma', () => {
  it('starts the last scale of each block at zero, and no other', () => {
    const spec = { family: 'resnet', depth: 50, zeroInitGamma: true };
    const gammas = build(spec, small, 10).parameters.filter(({ name }) => name.endsWith('/gamma'));
    const zero = gammas.filter(({ variable }) =>
      variable.dataSync<'float32'>().every((value) => value === 0),
    );
    expect(zero).toHaveLength(16);
    expect(zero.every(({ name }) => name.endsWith('/norm3/gamma'))).toBe(true);
  });

  it('makes each block of basic form the identity on its shortcut', () => {
    const spec: ModelSpec = {
      family: 'resnet-cifar',
      depth: 8,
      shortcuts: true,
      zeroInitGamma: true,
    };
    const trained = buildModel(spec, small, 10, 1);
    built.push(trained);
    const { model } = trained;
    const inner = tf.model({
      inputs: model.inputs,
      outputs: [model.getLayer('stem/relu'), model.getLayer('stage1/block0/relu2')].map(
        ({ output }) => output as tf.SymbolicTensor,
      ),
    });
    const images = tf.randomNormal([2, 32, 32, 3], 0, 1, 'float32', 5);
    const [before, after] = inner.apply(images, { training: false }) as tf.Tensor[];
    expect(after!.dataSync()).toEqual(before!.dataSync());
  });
});
