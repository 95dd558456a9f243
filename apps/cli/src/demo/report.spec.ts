import { describe, expect, it } from 'vitest';
import { worstClasses } from './report.js';

describe('worstClasses', () => {
  it('orders by recall and names what a class is taken for', () => {
    const confusion = [
      [9, 1, 0, 0],
      [0, 10, 0, 0],
      [2, 3, 5, 0],
      [0, 0, 4, 6],
    ];
    const evaluation = { step: 1, epoch: 1, loss: 0, accuracy: 0.75, samples: 40, confusion };
    expect(worstClasses(evaluation, ['a', 'b', 'c', 'd'])).toEqual([
      ['c', '50.00 %', 'b (3 of 10)'],
      ['d', '60.00 %', 'c (4 of 10)'],
      ['a', '90.00 %', 'b (1 of 10)'],
    ]);
  });
});
