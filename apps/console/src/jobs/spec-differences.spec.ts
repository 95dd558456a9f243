import { jobSpecSchema } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { specDifferences } from './spec-differences.js';

const written = {
  apiVersion: 'skipring/v1',
  name: 'a',
  model: { family: 'resnet-cifar', depth: 8 },
  data: { dataSet: 'glyphs' },
  training: { epochs: 1 },
};

describe('specDifferences', () => {
  it('names the fields that differ, also those that only one has', () => {
    const first = jobSpecSchema.parse(written);
    const second = jobSpecSchema.parse({
      ...written,
      name: 'b',
      training: { steps: 100, learningRate: 0.2 },
    });
    expect(specDifferences([first, second])).toEqual([
      { field: 'training.epochs', values: ['1', '–'] },
      { field: 'training.learningRate', values: ['0.1', '0.2'] },
      { field: 'training.steps', values: ['–', '100'] },
    ]);
    expect(specDifferences([first, { ...first, name: 'c' }])).toEqual([]);
  });
});
