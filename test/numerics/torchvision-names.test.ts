import { readFileSync } from 'node:fs';
import { fromTorchLayout, toTorch, toTorchLayout } from '@skipring/checkpoint';
import { emptyModel } from '@skipring/nn';
import type { ModelSpec } from '@skipring/protocol';
import type { TensorMap } from '@skipring/trainer';
import { describe, expect, it } from 'vitest';

/** Names and shapes of `state_dict()` of torchvision 0.29's models with 5 classes. */
const fixture = new URL(
  '../../libs/graph/fixtures/exports/torchvision-names.json',
  import.meta.url,
);
const stateDicts = JSON.parse(readFileSync(fixture, 'utf8')) as Record<
  string,
  Record<string, number[]>
>;

const models: Record<string, ModelSpec> = {
  resnet18: { family: 'resnet', depth: 18, stem: 'imagenet', shortcuts: true },
  resnet50: { family: 'resnet', depth: 50, stem: 'imagenet', shortcuts: true },
  densenet121: { family: 'densenet', depth: 121 },
};

describe('a model with names and layouts of PyTorch', () => {
  it.each(Object.entries(models))('%s has those of torchvision', (name, spec) => {
    const { parameters, movingStatistics } = emptyModel(
      spec,
      { height: 32, width: 32, channels: 3 },
      5,
    );
    const tensors: TensorMap = new Map(
      [...parameters, ...movingStatistics].map((tensor) => {
        const { shape, size } = tensor.variable;
        return [tensor.name, { shape, values: new Float32Array(size) }];
      }),
    );
    const found = [...toTorch(tensors, spec.family)].map(([torch, { shape }]) => [torch, shape]);
    expect(Object.fromEntries(found)).toEqual(stateDicts[name]);
    for (const [own, tensor] of tensors) {
      expect(fromTorchLayout(toTorchLayout(tensor)).shape, own).toEqual(tensor.shape);
    }
  });
});
