import { describe, expect, it } from 'vitest';
import { evaluationBatches, evaluationBatchSizes, trainBatchSizes } from './batch-sizes.js';

describe('batch sizes', () => {
  it('names the sizes of training lanes', () => {
    expect(trainBatchSizes(60_000, { count: 8, size: 64 })).toEqual([64, 32]);
    expect(trainBatchSizes(1024, { count: 8, size: 64 })).toEqual([64]);
    expect(trainBatchSizes(10, { count: 8, size: 64 })).toEqual([10]);
  });

  it('names the number and sizes of evaluation batches', () => {
    expect(evaluationBatches(10_000, 256)).toBe(40);
    expect(evaluationBatchSizes(10_000, 256)).toEqual([256, 16]);
    expect(evaluationBatches(512, 256)).toBe(2);
    expect(evaluationBatchSizes(512, 256)).toEqual([256]);
  });

  it('refuses a size of 0', () => {
    expect(() => evaluationBatches(10, 0)).toThrow(/size is 0; expected an integer >= 1/);
  });
});
