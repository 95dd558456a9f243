import { describe, expect, it } from 'vitest';
import { hasTrialEnded, sweepSpecSchema, trialsBestFirst, type Trial } from './sweep.js';

const spec = sweepSpecSchema.parse({
  apiVersion: 'skipring/v1',
  name: 'rates',
  job: {},
  parameters: { 'training.learningRate': { values: [0.1, 0.2] } },
  strategy: { kind: 'grid' },
});

function trial(index: number, fields: Partial<Trial> = {}): Trial {
  const nothing = { rung: 0, parameters: {}, jobId: null, state: null, reason: '', score: null };
  return { ...nothing, index, ...fields };
}

describe('the trials of a sweep', () => {
  const trials = [
    trial(0),
    trial(1, { score: 0.5 }),
    trial(2, { score: 0.9 }),
    trial(3, { score: 0.5 }),
    trial(1, { rung: 1 }),
  ];
  const order = (objective: 'accuracy' | 'loss'): string[] =>
    trialsBestFirst({ spec: { ...spec, objective }, trials }).map(
      ({ rung, index }) => `${rung}/${index}`,
    );

  it('are read from the last rung, the best of each first, without a score last', () => {
    expect(order('accuracy')).toEqual(['1/1', '0/2', '0/1', '0/3', '0/0']);
    expect(order('loss')).toEqual(['1/1', '0/1', '0/3', '0/2', '0/0']);
  });

  it('have ended in a final state of the job, or when refused', () => {
    const states = [null, 'pending', 'running', 'succeeded', 'failed', 'cancelled', 'refused'];
    expect(
      states.filter((state) => hasTrialEnded(trial(0, { state: state as Trial['state'] }))),
    ).toEqual(['succeeded', 'failed', 'cancelled', 'refused']);
  });
});
