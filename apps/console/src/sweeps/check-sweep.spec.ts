import type { SweepSpecInput } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { checkSweep, numTrials } from './check-sweep.js';

const sweep: SweepSpecInput = {
  apiVersion: 'skipring/v1',
  name: 's',
  job: {
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: 'glyphs' },
    training: { epochs: 1 },
  },
  parameters: { 'training.learningRate': { values: [0.1, 0.2] }, seed: { values: [1, 2, 3] } },
  strategy: { kind: 'grid' },
};

describe('checkSweep', () => {
  it('finds nothing in one that can be submitted', () => {
    expect(checkSweep(sweep)).toEqual([]);
    expect(numTrials(sweep)).toBe(6);
  });

  it('tells what is wrong with the sweep itself', () => {
    expect(checkSweep({ ...sweep, parameters: { seed: { values: [] } } })).toEqual([
      { field: '/parameters/seed/values', value: '[]', expected: 'at least 1 items' },
    ]);
    expect(checkSweep({ ...sweep, parameters: { 'not a field': { values: [1] } } })).toMatchObject([
      { field: '/parameters/not a field', expected: 'a field of a job' },
    ]);
    expect(numTrials({ ...sweep, strategy: {} })).toBeNull();
  });

  it('tells what is wrong with the job of a trial, at the parameter that it comes from', () => {
    const wrong = { ...sweep, parameters: { 'training.learningRate': { values: [0.1, -1] } } };
    expect(checkSweep(wrong)).toEqual([
      {
        field: '/parameters/training.learningRate/values',
        value: '-1',
        expected: 'more than 0, not -1',
      },
    ]);
    const job = { ...sweep.job, lanes: { count: 0 } };
    expect(checkSweep({ ...sweep, job })).toContainEqual({
      field: '/job/lanes/count',
      value: '0',
      expected: 'at least 1',
    });
  });
});
