import type { SweepSpec, Trial } from '@skipring/protocol';
import { percent, significant } from '../format.js';

/** A trial's score as it is read: an accuracy is a share, a loss a number. */
export function scoreText(objective: SweepSpec['objective'], score: number | null): string {
  if (score === null) return '–';
  return objective === 'accuracy' ? percent(score) : significant(score);
}

/** The value of a parameter, drawn numbers without digits that say nothing. */
export function parameterText(value: Trial['parameters'][string] | undefined): string {
  if (value === undefined) return '–';
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}

/**
 * Where scores lie between the worst and the best of them, on [0, 1]; of scores that are all alike 1.
 */
export function scoreShare(
  objective: SweepSpec['objective'],
  scores: readonly number[],
): (score: number) => number {
  const least = Math.min(...scores);
  const greatest = Math.max(...scores);
  if (!(greatest > least)) return () => 1;
  return (score) => {
    const share = (score - least) / (greatest - least);
    return objective === 'accuracy' ? share : 1 - share;
  };
}
