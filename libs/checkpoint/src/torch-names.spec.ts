import type { TensorData } from '@skipring/trainer';
import { describe, expect, it } from 'vitest';
import { fromTorch, fromTorchLayout, toTorch, toTorchLayout, torchName } from './torch-names.js';

describe('torchName', () => {
  it.each([
    ['stem/conv/kernel', 'conv1.weight'],
    ['stem/norm/gamma', 'bn1.weight'],
    ['stem/norm/movingVariance', 'bn1.running_var'],
    ['stage3/block11/conv2/kernel', 'layer3.11.conv2.weight'],
    ['stage2/block0/norm3/beta', 'layer2.0.bn3.bias'],
    ['stage2/block0/projection/conv/kernel', 'layer2.0.downsample.0.weight'],
    ['stage2/block0/projection/norm/movingMean', 'layer2.0.downsample.1.running_mean'],
    ['classifier/bias', 'fc.bias'],
    ['final/norm/gamma', 'bn_final.weight'],
    ['somewhere/else', null],
  ])('of a residual network: %s is %s', (own, torch) => {
    expect(torchName(own, 'resnet')).toBe(torch);
  });

  it.each([
    ['stem/conv/kernel', 'features.conv0.weight'],
    ['dense2/layer0/conv1/kernel', 'features.denseblock2.denselayer1.conv1.weight'],
    ['dense4/layer15/norm2/gamma', 'features.denseblock4.denselayer16.norm2.weight'],
    ['transition3/norm/beta', 'features.transition3.norm.bias'],
    ['final/norm/movingMean', 'features.norm5.running_mean'],
    ['classifier/kernel', 'classifier.weight'],
  ])('of a densely connected network: %s is %s', (own, torch) => {
    expect(torchName(own, 'densenet')).toBe(torch);
  });
});

describe('a model of layers', () => {
  const filled = (...shape: number[]): TensorData => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, values: Float32Array.from({ length }, (_, index) => index) };
  };
  const tensors = new Map([
    ['stem/conv/kernel', filled(3, 3, 2, 4)],
    ['block/conv/depthwise_kernel', filled(3, 2, 4, 2)],
    ['block/conv/pointwise_kernel', filled(1, 1, 8, 5)],
    ['block/conv/bias', filled(5)],
    ['norm/gamma', filled(5)],
    ['norm/movingMean', filled(5)],
    ['classifier/kernel', filled(5, 3)],
  ]);
  const torch = toTorch(tensors, 'layers');

  it('has the names of its layers, whatever those of other families are, and of PyTorch', () => {
    expect([...torch].map(([name, { shape }]) => `${name} ${shape.join('x')}`)).toEqual([
      'stem/conv.weight 4x2x3x3',
      'block/conv.depthwise.weight 8x1x3x2',
      'block/conv.pointwise.weight 5x8x1x1',
      'block/conv.bias 5',
      'norm.weight 5',
      'norm.running_mean 5',
      'classifier.weight 3x5',
    ]);
  });

  it('has a depthwise kernel as a convolution of as many groups as inputs', () => {
    const { values } = torch.get('block/conv.depthwise.weight')!;
    // [h, w, i, m] = [2, 1, 3, 1] is output 3 * 2 + 1 at [2, 1].
    const own = tensors.get('block/conv/depthwise_kernel')!.values;
    expect(values[7 * 6 + 2 * 2 + 1]).toBe(own[2 * 16 + 1 * 8 + 3 * 2 + 1]);
  });

  it('comes back with the shapes of its own', () => {
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
    expect(fromTorch(torch, 'layers', shapes)).toEqual(tensors);
  });

  it('leaves a depthwise kernel of another size as it is, to be told', () => {
    const shapes = new Map([['block/conv/depthwise_kernel', [3, 2, 4, 3]]]);
    const [found] = fromTorch(torch, 'layers', shapes).values();
    expect(found?.shape).toEqual([3, 2, 1, 8]);
  });
});

describe('the layout of a kernel', () => {
  const shape = [2, 3, 4, 5];
  const values = Float32Array.from({ length: 120 }, (_, index) => index);
  const kernel: TensorData = { shape, values };

  it('has outputs and inputs first', () => {
    const moved = toTorchLayout(kernel);
    expect(moved.shape).toEqual([5, 4, 2, 3]);
    // [h, w, i, o] = [1, 2, 3, 4]
    expect(moved.values[4 * 24 + 3 * 6 + 1 * 3 + 2]).toBe(values[1 * 60 + 2 * 20 + 3 * 5 + 4]);
    const dense = toTorchLayout({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect(dense).toEqual({ shape: [3, 2], values: Float32Array.of(1, 4, 2, 5, 3, 6) });
  });

  it('comes back, and vectors stay as they are', () => {
    expect(fromTorchLayout(toTorchLayout(kernel))).toEqual(kernel);
    const vector = { shape: [3], values: Float32Array.of(1, 2, 3) };
    expect(fromTorchLayout(toTorchLayout(vector))).toEqual(vector);
  });
});
