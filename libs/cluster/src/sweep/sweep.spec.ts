import { API_VERSION, sweepSpecSchema, type SweepSpecInput, type Trial } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { advance, bestTrial, firstTrials } from './advance.js';
import { combinations, numRungs, trialSpec } from './plan.js';

const specOf = (changes: Partial<SweepSpecInput> = {}) =>
  sweepSpecSchema.parse({
    apiVersion: API_VERSION,
    name: 's',
    job: { training: { epochs: 9 }, data: { dataSet: 'd' } },
    parameters: { 'training.learningRate': { min: 1e-4, max: 1, scale: 'log' } },
    strategy: { kind: 'random', trials: 4 },
    ...changes,
  });

const ended = (trial: Trial, score: number | null): Trial => ({
  ...trial,
  jobId: `job-${trial.rung}-${trial.index}`,
  state: score === null ? 'failed' : 'succeeded',
  score,
});

describe('combinations', () => {
  it('of a grid are all, the last parameter changing fastest', () => {
    const spec = specOf({
      parameters: { seed: { values: [1, 2] }, 'model.depth': { values: [8, 20, 32] } },
      strategy: { kind: 'grid' },
    });
    expect(combinations(spec).map((values) => Object.values(values))).toEqual([
      ...[
        [1, 8],
        [1, 20],
        [1, 32],
      ],
      ...[
        [2, 8],
        [2, 20],
        [2, 32],
      ],
    ]);
  });

  it('that are drawn depend on the seed alone, lie in their range and spread over it', () => {
    const parameters: SweepSpecInput['parameters'] = {
      rate: { min: 1e-4, max: 1, scale: 'log' },
      seed: { min: 1, max: 3, integer: true },
      kind: { values: ['a', 'b'] },
    };
    const spec = specOf({ parameters, strategy: { kind: 'random', trials: 300 } });
    const drawn = combinations(spec);
    expect(combinations(spec)).toEqual(drawn);
    expect(combinations({ ...spec, seed: 2 })).not.toEqual(drawn);
    const rates = drawn.map(({ rate }) => Math.log10(rate as number));
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(-4);
    expect(Math.max(...rates)).toBeLessThanOrEqual(0);
    // On a log scale half of them lie below the middle exponent.
    const numLow = rates.filter((exponent) => exponent < -2).length;
    expect(numLow).toBeGreaterThan(110);
    expect(numLow).toBeLessThan(190);
    for (const field of ['seed', 'kind'] as const) {
      const counts = new Map<unknown, number>();
      for (const { [field]: value } of drawn) counts.set(value, (counts.get(value) ?? 0) + 1);
      expect(counts.size).toBe(field === 'seed' ? 3 : 2);
      expect(Math.min(...counts.values())).toBeGreaterThan(60);
    }
  });
});

describe('the job of a trial', () => {
  it('has the values of the trial, a name of its own, and leaves the sweep as it was', () => {
    const spec = specOf();
    const [trial] = firstTrials(spec);
    const job = trialSpec(spec, trial!);
    expect(job).toEqual({
      apiVersion: API_VERSION,
      name: 's-0',
      training: { epochs: 9, learningRate: trial?.parameters['training.learningRate'] },
      data: { dataSet: 'd' },
    });
    expect(spec.job).toEqual({ training: { epochs: 9 }, data: { dataSet: 'd' } });
  });
});

describe('a sweep', () => {
  it('keeps so many trials open, and is done when all have ended', () => {
    const spec = specOf({ parallel: 2 });
    const first = advance(spec, firstTrials(spec));
    expect(first.toSubmit.map(({ index }) => index)).toEqual([0, 1]);
    const open = first.trials.map((trial) =>
      trial.index < 2 ? { ...trial, jobId: 'job', state: 'running' as const } : trial,
    );
    expect(advance(spec, open)).toMatchObject({ toSubmit: [], isDone: false });
    const half = open.map((trial) => (trial.index === 0 ? ended(trial, 0.5) : trial));
    expect(advance(spec, half).toSubmit.map(({ index }) => index)).toEqual([2]);
    const all = half.map((trial) => ended(trial, trial.index === 3 ? null : trial.index / 10));
    expect(advance(spec, all)).toMatchObject({ toSubmit: [], isDone: true });
    expect(bestTrial(spec, all)?.index).toBe(2);
    expect(bestTrial({ ...spec, objective: 'loss' }, all)?.index).toBe(0);
  });

  it('of successive halving gives the best of each rung factor times the epochs', () => {
    const spec = specOf({ strategy: { kind: 'halving', trials: 9, factor: 3 }, parallel: 9 });
    expect(numRungs(spec)).toBe(3);
    const epochsOf = (trial: Trial): number =>
      (trialSpec(spec, trial) as { training: { epochs: number } }).training.epochs;
    let trials = [...advance(spec, firstTrials(spec)).trials];
    expect(trials.map(epochsOf)).toEqual(Array(9).fill(1));
    // One failed; the scores rise with the index, so the best are 8, 7 and 6.
    trials = trials.map((trial) => ended(trial, trial.index === 5 ? null : trial.index));
    const second = advance(spec, trials);
    expect(second.toSubmit.map((trial) => [trial.rung, trial.index, epochsOf(trial)])).toEqual([
      [1, 8, 3],
      [1, 7, 3],
      [1, 6, 3],
    ]);
    trials = second.trials.map((trial) => (trial.rung === 1 ? ended(trial, -trial.index) : trial));
    const third = advance(spec, trials);
    expect(third.toSubmit.map((trial) => [trial.rung, trial.index, epochsOf(trial)])).toEqual([
      [2, 6, 9],
    ]);
    trials = third.trials.map((trial) => (trial.rung === 2 ? ended(trial, 0.1) : trial));
    expect(advance(spec, trials)).toMatchObject({ toSubmit: [], isDone: true });
    expect(bestTrial(spec, trials)).toMatchObject({ rung: 2, index: 6 });
  });

  it('ends when all of a rung have failed', () => {
    const spec = specOf({ strategy: { kind: 'halving', trials: 3, factor: 3 } });
    const trials = firstTrials(spec).map((trial) => ended(trial, null));
    expect(advance(spec, trials).isDone).toBe(true);
  });
});

describe('a sweep spec', () => {
  it.each([
    ['a range in a grid', { strategy: { kind: 'grid' } }],
    ['a log range from 0', { parameters: { a: { min: 0, max: 1, scale: 'log' } } }],
    ['a range without numbers between', { parameters: { a: { min: 1, max: 1 } } }],
    ['no parameter', { parameters: {} }],
    ['a field that is none', { parameters: { '__proto__.x': { values: [1] } } }],
    [
      'too many combinations',
      {
        parameters: Object.fromEntries(
          ['a', 'b', 'c', 'd'].map((field) => [field, { values: [1, 2, 3, 4, 5, 6] }]),
        ),
        strategy: { kind: 'grid' },
      },
    ],
  ] as [string, Partial<SweepSpecInput>][])('of %s is refused', (_, changes) => {
    expect(() => specOf(changes)).toThrow();
  });
});
