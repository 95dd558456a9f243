import { describe, expect, it } from 'vitest';
import { parameterText, scoreShare, scoreText } from './score.js';

describe('a score', () => {
  it('is a share where it is an accuracy, a number where it is a loss', () => {
    expect(scoreText('accuracy', 0.91234)).toBe('91.23 %');
    expect(scoreText('loss', 0.25)).toBe('0.2500');
    expect(scoreText('loss', null)).toBe('–');
  });

  it('lies between the worst, 0, and the best, 1, of either objective', () => {
    expect([0.5, 0.75, 1].map(scoreShare('accuracy', [1, 0.5, 0.75]))).toEqual([0, 0.5, 1]);
    expect([0.5, 0.75, 1].map(scoreShare('loss', [1, 0.5, 0.75]))).toEqual([1, 0.5, 0]);
    expect(scoreShare('loss', [2])(2)).toBe(1);
    expect(scoreShare('accuracy', [0.3, 0.3])(0.3)).toBe(1);
  });
});

describe('the text of a parameter', () => {
  it('leaves out digits that say nothing', () => {
    expect([0.0123456789, 128, 'relu', true, undefined].map(parameterText)).toEqual([
      '0.01235',
      '128',
      'relu',
      'true',
      '–',
    ]);
  });
});
