import type { TensorData } from '@skipring/trainer';
import { describe, expect, it } from 'vitest';
import { fromTorchLayout, toTorchLayout, torchName } from './torch-names.js';

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
