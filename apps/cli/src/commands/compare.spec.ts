import { API_VERSION, jobSpecSchema } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { specDifferences } from './compare.js';

const specOf = (changes: object) => ({
  spec: jobSpecSchema.parse({
    apiVersion: API_VERSION,
    name: 'a',
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: 'd' },
    training: { epochs: 1 },
    ...changes,
  }),
});

describe('specDifferences', () => {
  it('names the fields that differ, also those that only one has', () => {
    const jobs = [
      specOf({}),
      specOf({ seed: 2, training: { steps: 5 } }),
      specOf({ name: 'b', model: { family: 'resnet-cifar', depth: 20 } }),
    ];
    expect(specDifferences(jobs)).toEqual({
      name: ['a', 'a', 'b'],
      'model.depth': ['8', '8', '20'],
      'training.epochs': ['1', '-', '1'],
      'training.steps': ['-', '5', '-'],
      seed: ['1', '2', '1'],
    });
  });

  it('finds none between equal specs', () => {
    expect(specDifferences([specOf({}), specOf({})])).toEqual({});
  });
});
